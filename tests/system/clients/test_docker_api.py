"""docker-api: the Docker API for Ruby; its scenario is in ``docker_api.rb``."""

import subprocess
from pathlib import Path

import pytest

DOCKER_API = "docker-api for Ruby"
SCENARIOS = {
    "version": "finds its server in the environment and is told of versions",
    "run": "runs a container and an image to their ends and reads what they wrote",
    "life": "creates, starts, pauses, restarts, renames, updates, kills, waits, stops, removes",
    "attach": "attaches to standard input and output and closes the input",
    "exec": "runs commands in a container, with standard input and with a terminal",
    "stats": "reads stats once and as a stream",
    "events": "follows events, with filters, from the past",
    "archives": "stores and reads files, copies archives in, exports, tells what changed",
    "errors": "is told of what is missing, taken or wrong by the errors that it tells apart",
    "images": "pulls, tags, pushes, saves, loads, lists and removes images",
    "build": "builds from a folder, from text, and on an image, and runs what it built by id",
    "commit": "commits a container and runs what it committed",
    "networks": "makes a network, and connects containers that run already",
    "volumes": "makes volumes one by one, and uses them in one container",
}


@pytest.fixture(scope="session")
def ruby(versions):
    told = subprocess.run(
        ["/usr/bin/ruby", "-r", "docker", "-e", "print Docker::VERSION"],
        capture_output=True,
        text=True,
        check=True,
    )
    versions[DOCKER_API] = told.stdout
    return "/usr/bin/ruby"


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=pytest.mark.client(DOCKER_API, does), id=name)
        for name, does in SCENARIOS.items()
    ],
)
def test_scenario(scenario, target, ruby, run_client, registry, tmp_path):
    (tmp_path / "data").write_text("what it says")
    (tmp_path / "Dockerfile").write_text("FROM busybox\nCOPY data /data\n")
    argument = registry.address if scenario == "images" else str(tmp_path)
    script = Path(__file__).with_name("docker_api.rb")
    done = run_client(target, ruby, str(script), scenario, argument)
    assert done.returncode == 0, done.stderr
