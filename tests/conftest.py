"""Hooks for all tests: real engines are used if they can run, and required on request."""

import functools
import importlib.metadata
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from swarmcore_lab import available

# A slow machine is no failure: what takes too long is caught by the limit on the whole test.
hypothesis.settings.register_profile(
    "searching", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
# Whether a change passes must not be luck: every run has the same examples.
hypothesis.settings.register_profile(
    "patient", parent=hypothesis.settings.get_profile("searching"), derandomize=True
)
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).parents[1]

# pytest then explains failed assertions of helper modules as it explains those of tests.
HELPED = ("chaos", "commands", "component", "fuzz", "stress", "system", "unit")
pytest.register_assert_rewrite(*(f"tests.{folder}" for folder in HELPED))

#: Tests of real parts that start those themselves, so that another process may have them.
OWN_PARTS = (
    "tests/chaos/",
    "tests/system/replication/",
    "tests/system/spanning/",
    "tests/system/stores/",
    "tests/system/test_devices.py",
    "tests/system/test_embedded_fidelity.py",
    "tests/system/test_filters.py",
    "tests/system/test_install.py",
    "tests/system/test_lab.py",
    "tests/system/test_moves.py",
    "tests/system/test_shared_volumes.py",
    "tests/system/test_sizes.py",
    "tests/system/test_tls.py",
)
#: Tests that share engines of their own, beside those of the other system tests.
CLIENTS = ("tests/system/clients/", "tests/system/sweep/")


@functools.cache
def why_no_docker() -> str | None:
    """Return why real engines cannot run here, or ``None``."""
    return available()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-compatibility",
        action="store_true",
        help="write the table of docs/compatibility.md, when all of tests/system/clients ran",
    )
    parser.addoption(
        "--write-api", action="store_true", help="write the table of routes in docs/api.md"
    )


def pytest_sessionstart() -> None:
    """Refuse an environment whose packages are not those of this tree."""
    projects = [*ROOT.glob("p*/*/pyproject.toml"), ROOT / "pyproject.toml"]
    wanted = {tomllib.loads(path.read_text())["project"]["name"] for path in projects}
    names = (each.metadata["Name"] for each in importlib.metadata.distributions())
    installed = {name for name in names if name.startswith("swarmcore-")}
    if installed != wanted:
        changed = ", ".join(sorted(installed ^ wanted))
        pytest.exit(f"plugins were added or renamed ({changed}): run scripts/setup", returncode=3)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked ``docker`` needs real engines: without them it is skipped, or fails."""
    if item.get_closest_marker("docker") is None or why_no_docker() is None:
        return
    if os.environ.get("SWARMCORE_REQUIRE_DOCKER") == "1":
        pytest.fail(f"real engines are required here: {why_no_docker()}", pytrace=False)
    pytest.skip(f"no real engines: {why_no_docker()}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print a failure at once, so that a run which is cut off shows its failures, too."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        reasons = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
        told = "\n".join(reasons[:20]) or report.longreprtext[-2000:]
        sys.stderr.write(f"\n{report.nodeid} ({report.when}):\n{told}\n")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give all tests of shared engines to one of the processes that ``-n`` starts.

    The three large groups take about the same time, so ``-n 3`` is the fastest on two cores:
    system tests often wait for an engine.  (The groups of xdist itself have no effect with pytest
    9.2, which stores the ids of tests elsewhere.)
    """
    from xdist.scheduler import LoadScopeScheduling  # it is not there without -n

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file.startswith(CLIENTS):
                return "clients"
            if file.startswith(OWN_PARTS):
                return "own parts"
            if file.startswith("tests/system/"):
                return "shared engines"
            # A seed computes for seconds: no process should have all of them.
            return nodeid if file.startswith("tests/stress/") else file

    return Scheduling(config, log)
