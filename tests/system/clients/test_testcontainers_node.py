"""testcontainers for Node.js; its scenarios are in ``testcontainers.js``.

Its reaper (Ryuk) is switched off, because its image is only on the internet.
"""

import json
from pathlib import Path

import pytest
from swarmcore_lab.releases import cache_dir

NODE = "testcontainers for Node.js"
STILL = '["sh", "-c", "echo up; trap exit TERM; while true; do sleep 0.1; done"]'
SCENARIOS = {
    "container": "starts a container, waits for its log, runs and copies in it, stops it",
    "waiting": "waits for health, commands, ends, and several things at once",
    "failing": "tells of a container that ended before it was ready",
    "networks": "joins containers by a network and their aliases",
    "build": "builds an image and starts it",
    "pull": "pulls an image that is missing, and reuses its container",
    "compose": "brings a compose project up, waits for it, takes it down",
}


@pytest.fixture
def testcontainers(target, lab, versions, run_client, tmp_path):
    """Run a scenario to its end."""
    folder = cache_dir() / "node" / "node_modules"
    package = folder / "testcontainers" / "package.json"
    versions[NODE] = json.loads(package.read_text())["version"]
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nARG WORD\nRUN echo $WORD >/word\n"
        'CMD ["sh", "-c", "cat /word; trap exit TERM; while true; do sleep 0.1; done"]\n'
    )
    (tmp_path / "compose.yaml").write_text(
        f"services: {{web: {{image: busybox, command: {STILL}}}}}\n"
    )
    cli = lab.cli("28")
    environment = {
        **cli.env,
        "PATH": f"{cli.path.parent}:{cli.env['PATH']}:/usr/local/bin",
        "HOME": str(tmp_path),
        "NODE_PATH": str(folder),
        "TESTCONTAINERS_RYUK_DISABLED": "true",
    }
    script = str(Path(__file__).with_name("testcontainers.js"))

    def run(*arguments, **more):
        return run_client(target, "node", script, *arguments, **environment, **more)

    return run


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=pytest.mark.client(NODE, does), id=name)
        for name, does in SCENARIOS.items()
    ],
)
def test_scenario(scenario, testcontainers, registry, tmp_path):
    argument = registry.address if scenario == "pull" else str(tmp_path)
    done = testcontainers(scenario, argument)
    assert done.returncode == 0, done.stderr


@pytest.mark.client(NODE, "finds the host of a published port where inspect says it is")
def test_ports_on_their_engine(testcontainers):
    done = testcontainers("elsewhere")
    assert done.returncode == 0, done.stderr


@pytest.mark.client(NODE, "finds the host of a published port from DOCKER_HOST")
def test_host_of_ports(target, testcontainers, differs):
    done = testcontainers("elsewhere" if target.is_cluster else "ports")
    assert done.returncode == 0, done.stderr
    if target.is_cluster:
        host = json.loads(done.stdout)
        assert host["told"] != host["published"]
        differs("a port is published on the engine of its container, not on the manager; see below")


@pytest.mark.client(NODE, "is told the host with TESTCONTAINERS_HOST_OVERRIDE, on one node")
def test_host_override(shared_fleet, testcontainers):
    host = shared_fleet.engines["new"].address.partition(":")[0]
    done = testcontainers("ports", host, TESTCONTAINERS_HOST_OVERRIDE=host)
    assert done.returncode == 0, done.stderr
