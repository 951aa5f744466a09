"""A lab of real engines of three releases, a manager of them, and the real CLIs."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from swarmcore_lab import Lab, available

from tests.system.docker import Docker
from tests.system.fleet import RELEASES, Fleet
from tests.system.manager import Managers
from tests.system.waiting import wait_until


@pytest.fixture(scope="session", name="wait_until")
def wait_until_fixture() -> Callable[..., Any]:
    return wait_until


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    reason = available()
    if reason is not None:
        if os.environ.get("SWARMCORE_REQUIRE_DOCKER") == "1":
            pytest.fail(f"real engines are required here: {reason}")
        pytest.skip(reason)
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="session")
def engines(lab: Lab) -> dict[str, Any]:
    """``old``, ``middle`` and ``new``: 20.10, 26.1 and 28.5, each with a busybox image."""
    started = lab.start_engines(
        [{"name": name, "release": release} for name, release in RELEASES.items()]
    )
    lab.image(started)
    return {engine.name: engine for engine in started}


@pytest.fixture(scope="module")
def start_manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managers]:
    """Start managers that end with the module.

    A manager that ran longer would follow every event of the engines, which all modules share.
    """
    managers = Managers(tmp_path_factory.mktemp("managers"))
    yield managers
    managers.stop()


@pytest.fixture(scope="session")
def make_docker(lab: Lab) -> Callable[..., Docker]:
    """Make the CLI of a release for an address, with additions to its environment."""

    def make(release: str, host: str, **environment: str) -> Docker:
        docker = Docker(lab.cli(release), host)
        docker.environment |= environment
        return docker

    return make


@pytest.fixture(scope="session")
def shared_fleet(
    lab: Lab, engines: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    addresses = ",".join(engine.address for engine in engines.values())
    managers = Managers(tmp_path_factory.mktemp("shared"))
    manager = managers(addresses)
    manager.wait_healthy(len(engines))
    yield Fleet(lab, engines, manager)
    managers.stop()


@pytest.fixture
def fleet(shared_fleet: Fleet) -> Iterator[Fleet]:
    """The fleet, without containers before and after."""
    yield shared_fleet
    docker = shared_fleet.docker()
    docker.remove_all()


@pytest.fixture(params=["20.10", "28"])
def docker(fleet: Fleet, request: pytest.FixtureRequest) -> Docker:
    """The CLI of each release, with the manager as its target."""
    return fleet.docker(request.param)
