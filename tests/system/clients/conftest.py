"""Real clients, with one engine and with a manager of three releases.

Every test here runs with both targets and has the same expectations.  The results of the clients
are collected for ``test_page.py``.
"""

import gc
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from swarmcore_lab.engine_api import EngineApi

from tests.system.clients.targets import Target, Tidy

HERE = Path(__file__).parent
TARGETS = ["direct", "cluster"]

# ---- what is driven


@pytest.fixture(scope="session")
def tidy(shared_fleet: Any, wait_until: Callable[..., Any]) -> Tidy:
    engines = [engine.api for engine in shared_fleet.engines.values()]
    socket = Path(shared_fleet.manager.socket.removeprefix("unix://"))
    return Tidy(engines, EngineApi("manager", socket), wait_until)


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest, shared_fleet: Any, tidy: Tidy) -> Iterator[Target]:
    """One engine of the newest release, then the manager; cleaned up before and after."""
    tidy()
    if request.param == "cluster":
        manager = shared_fleet.manager
        yield Target("cluster", manager.host, manager.socket)
    else:
        engine = shared_fleet.engines["new"]
        yield Target("direct", f"tcp://{engine.address}", f"unix://{engine.socket}")
    tidy()


@pytest.fixture(scope="session")
def registry(lab: Any, engines: dict[str, Any]) -> Any:
    """A registry without a password, with the image ``REGISTRY/tool:1``."""
    registry = lab.registry()
    registry.push(engines["old"], "busybox:latest", "tool:1")
    return registry


@pytest.fixture
def sdk(target: Target, versions: dict[str, str]) -> Iterator[Any]:
    """A ``docker.DockerClient`` of the target."""
    import docker  # slow, and not every test's client

    versions["docker SDK for Python"] = docker.__version__
    client = docker.DockerClient(base_url=target.host)
    yield client
    client.close()
    gc.collect()  # of sockets that it left open, while the test that knows of them is to be told


@pytest.fixture
def run_client(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a client's program with a target, and return its result."""

    def run(target: Target, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "HOME": str(tmp_path), "DOCKER_HOST": target.host, **environment}
        return subprocess.run(
            argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
        )

    return run


# ---- what is told of it

WORKS = "works"
FAILED = "failed"


@dataclass
class Found:
    """The results of the tests in this folder.

    Attributes:
        results: (client, work) -> target -> cell of the table.
        versions: client -> its version; each client's fixture sets it.
        is_whole: whether every test of this folder runs.
    """

    results: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    is_whole: bool = False


_found = pytest.StashKey[Found]()
_difference = pytest.StashKey[str]()


@pytest.fixture
def differs(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Record, for the table, why the cluster's answer differs from one engine's on purpose."""

    def say(reason: str) -> None:
        assert request.node.callspec.params["target"] == "cluster"
        request.node.stash[_difference] = reason

    return say


@pytest.fixture(scope="session")
def found(pytestconfig: pytest.Config) -> Found:
    """The results so far."""
    return pytestconfig.stash[_found]


@pytest.fixture(scope="session")
def versions(found: Found) -> dict[str, str]:
    """Client -> its version; each client's fixture sets it."""
    return found.versions


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_found] = Found()


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Check the page last, and the whole page only if every test of this folder runs."""
    items.sort(key=lambda item: item.path.name == "test_page.py")
    files = {item.path for item in items if HERE in item.path.parents}
    in_parts = session.config.option.keyword or any("::" in arg for arg in session.config.args)
    session.config.stash[_found].is_whole = files == set(HERE.glob("test_*.py")) and not in_parts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    report = yield
    if call.when != "call":
        return report
    for marker in reversed(list(item.iter_markers("client"))):  # in the order of the source
        client, does = marker.args
        row = item.config.stash[_found].results.setdefault((client, does), {})
        name = item.callspec.params["target"]  # type: ignore[attr-defined]
        cell = f"differs: {item.stash[_difference]}" if _difference in item.stash else WORKS
        earlier = row.get(name, WORKS)  # several tests may show one thing
        row[name] = FAILED if not report.passed else earlier if earlier != WORKS else cell
    return report
