"""dockerode: the Docker API for Node.js; its scenario is in ``dockerode.js``."""

import json
from pathlib import Path

import pytest
from swarmcore_lab.releases import cache_dir

DOCKERODE = "dockerode"
SCENARIOS = {
    "version": "finds its server in the environment and is told of versions",
    "run": "runs a container, demuxing what it writes",
    "life": "creates, starts, pauses, restarts, renames, updates, kills, waits, stops, removes",
    "logs": "reads logs and follows them",
    "attach": "attaches to standard input and output and closes the input",
    "exec": "runs commands in a container, with and without standard input",
    "stats": "reads stats once and as a stream",
    "events": "follows events with filters",
    "archives": "puts archives into a container, gets them out, asks what is there",
    "errors": "is told of what is missing or wrong in the engine's own words",
    "images": "pulls, tags, pushes, saves, loads and removes images",
    "build": "builds with the classic builder and with BuildKit over its own session",
    "networks": "makes, connects, lists and removes networks",
    "volumes": "makes volumes, keeps data in them, prunes and removes",
}


@pytest.fixture
def modules(versions):
    folder = cache_dir() / "node" / "node_modules"
    versions[DOCKERODE] = json.loads((folder / "dockerode" / "package.json").read_text())["version"]
    return folder


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=pytest.mark.client(DOCKERODE, does), id=name)
        for name, does in SCENARIOS.items()
    ],
)
def test_scenario(scenario, target, modules, run_client, registry, tmp_path):
    (tmp_path / "data").write_text("what it says")
    (tmp_path / "Dockerfile").write_text("FROM busybox\nCOPY data /data\n")
    argument = registry.address if scenario == "images" else str(tmp_path)
    script = Path(__file__).with_name("dockerode.js")
    done = run_client(target, "node", str(script), scenario, argument, NODE_PATH=str(modules))
    assert done.returncode == 0, done.stderr
