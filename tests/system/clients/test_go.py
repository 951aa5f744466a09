"""Docker's own client for Go; its program is ``client.go``.

``scripts/clients-install`` compiles it, and names it by the checksum of its source.
"""

import hashlib
from pathlib import Path

import pytest
from swarmcore_lab.releases import cache_dir

GO = "Docker's client for Go"
SOURCE = Path(__file__).with_name("client.go")
SCENARIOS = {
    "version": "finds its server in the environment, negotiates a version, or insists on 1.30",
    "run": "runs a container to its end: waits before the start, demuxes its logs",
    "life": "creates, starts, pauses, renames, updates, restarts, kills, waits, removes",
    "logs": "follows logs until its context is cancelled",
    "attach": "attaches to standard input and output and closes the input",
    "exec": "runs commands in a container, with standard input",
    "stats": "reads stats once and as a stream",
    "events": "follows events with filters",
    "archives": "copies archives in and out, asks what is there and what changed",
    "errors": "is told of what is missing or wrong by the kinds of errors that it tells apart",
    "images": "pulls, tags, pushes, saves, loads, lists and removes images",
    "build": "builds with the classic builder, and runs what it built",
    "ports": "publishes a port, and is told which",
    "networks": "makes, connects and prunes networks, on which aliases are found",
    "volumes": "makes volumes, keeps data in them, tells what disk is used, removes",
}


@pytest.fixture(scope="session")
def program(versions):
    versions[GO] = "20.10.24"  # Debian's package; the program does not know
    program = cache_dir() / "go" / hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    assert program.exists(), "run scripts/clients-install as root: client.go is not compiled"
    return str(program)


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(name, marks=pytest.mark.client(GO, does), id=name)
        for name, does in SCENARIOS.items()
    ],
)
def test_scenario(scenario, target, program, run_client, registry):
    done = run_client(target, program, scenario, registry.address)
    assert done.returncode == 0, done.stderr
