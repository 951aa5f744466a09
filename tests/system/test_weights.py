"""Weighers that operators add to the strategy, with real engines and the real CLI."""

import subprocess

import pytest

from tests.system.manager import SWARMCORE

pytestmark = pytest.mark.docker

ZONES = {"old": "a", "middle": "a", "new": "b"}


@pytest.fixture(scope="module")
def docker_of_manager(engines, start_manager, make_docker):
    """The CLI with a manager that has weighers.

    It spreads over zones first, prefers nodes with the image, and starts one container at a time on
    each engine.
    """
    opts = ("swarm.spread=zone", "swarm.weight.image=2", "swarm.starts=1")
    words = [word for opt in opts for word in ("--cluster-opt", opt)]
    manager = start_manager(*words, ",".join(engine.address for engine in engines.values()))
    manager.wait_healthy(len(engines))
    docker = make_docker("28", manager.host)
    for node, zone in ZONES.items():
        operate(docker, "label", node, f"zone={zone}")
    yield docker
    manager.stop()


@pytest.fixture
def docker(docker_of_manager):
    """The CLI, without containers before and after."""
    docker_of_manager.remove_all()
    yield docker_of_manager
    docker_of_manager.remove_all()


def operate(docker, *words):
    """Run a ``swarmcore`` command with the same manager."""
    done = subprocess.run(
        [SWARMCORE, *words], env={**docker.environment, "COLUMNS": "90"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


def test_zones_get_equal_parts_of_concurrent_starts(docker):
    words = ("run", "-d", "--init", "busybox", "sleep", "600")
    started = [docker.start(*words) for _ in range(6)]
    for process in started:
        output, error = process.communicate(timeout=110)
        assert process.returncode == 0, output + error
    nodes = docker("ps", "-q", "--no-trunc").split()
    where = docker("inspect", "--format", "{{.Node.Name}}", *nodes).split()
    assert sorted(ZONES[node] for node in where) == [*"aaabbb"]


def test_explain_shows_weighers(docker):
    docker("create", "-e", "constraint:node==new", "busybox")
    page = operate(docker, "explain", "--", docker.binary, "run", "busybox")
    assert "weighers    spread zone (service) first, spread zone first, image x 2" in page
    lines = [line.split() for line in page.splitlines()]
    assert ["RANK", "NODE", "WEIGHTS", "NORMALISED", "ADDED", "SCALED", "SCORE", "BREAKS"] in lines
    assert next(line for line in lines if line[:1] == ["1"])[1] in ("old", "middle")
