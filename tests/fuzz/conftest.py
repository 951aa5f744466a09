"""A manager of two embedded engines, and a fixture that runs many examples against it."""

import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

from swarmcore.testing.ports import free_port
from tests.fuzz.target import Target, is_healthy, wait_until

#: Connections that the manager may keep for later: how many it comes to need at once is chance.
IDLE = 2 * 8
#: What the manager's memory may grow by over all cases of a module, once it is warm.
GROWTH = 30_000_000


hypothesis.settings.register_profile(
    "fuzz",
    parent=hypothesis.settings.get_profile("patient"),
    database=None,
    derandomize=True,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="session")
def engines(tmp_path_factory):
    """The addresses of two embedded engines; their failures are in a log file."""
    command = [sys.executable, Path(__file__).with_name("engines.py")]
    log = tmp_path_factory.mktemp("fuzz") / "engines.log"
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True) as process,
    ):
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture(scope="module")
def target(engines, tmp_path_factory):
    """A manager that must be as healthy after all cases of a module as before them."""
    log = tmp_path_factory.mktemp("fuzz") / "manager.log"
    port = free_port()
    command = [Path(sys.executable).with_name("swarmcore"), "manage", "-H", f"127.0.0.1:{port}"]
    with log.open("wb") as file, subprocess.Popen([*command, engines], stderr=file) as process:
        target = Target(process, port, log)
        wait_until(lambda: is_healthy(target), "the manager to know its engines")
        yield target
        target.hang_up()
        process.terminate()
        assert process.wait(30) == 0
    assert "Traceback" not in log.read_text()


@pytest.fixture
def fuzz(target):
    """Run many cases of a test against the manager, and check that it keeps nothing of them.

    ``fuzz(count, test, *strategies)`` asserts that there were *count* cases.
    """

    def run(count, test, *strategies):
        def examples(number):
            settings = hypothesis.settings(
                hypothesis.settings.get_profile("fuzz"), max_examples=number
            )
            before = target.cases
            settings(hypothesis.given(*strategies)(test))()
            target.tidy()
            return target.cases - before

        assert examples(count // 10) >= count // 10  # what is loaded and kept once is not growth
        descriptors, memory = target.descriptors(), target.memory()
        assert examples(count) >= count
        wait_until(lambda: target.descriptors() <= descriptors + IDLE, "connections to be closed")
        assert target.memory() - memory < GROWTH

    return run
