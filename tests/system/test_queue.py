"""Resources of real engines: taken by containers created there, and waited for."""

import subprocess

import pytest

from tests.system.manager import SWARMCORE

pytestmark = pytest.mark.docker

NODE = "constraint:node==middle"


def test_a_run_waits_until_the_container_in_its_way_is_removed(fleet, docker, wait_until):
    docker("run", "-d", "--name", "first", "-p", "9311:80", "-e", NODE, "busybox", "sleep", "600")
    waits = ["--label", "com.docker.swarm.queue=60", "-e", NODE]
    second = docker.start(
        "run", "-d", "--name", "second", "-p", "9311:80", *waits, "busybox", "sleep", "600"
    )
    wait_until(lambda: fleet.manager.get("/swarmcore/queue"), "the run to wait")
    shown = subprocess.run(
        [SWARMCORE, "nodes"], env=docker.environment, capture_output=True, text=True, check=True
    )
    assert "1 create waiting for room, the longest for " in shown.stdout
    docker("rm", "-f", "first")
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    (id,) = out.split()
    assert fleet.direct("middle")("ps", "-q", "--no-trunc", "--filter", "name=second").split() == [
        id
    ]
    assert fleet.manager.get("/swarmcore/queue") == []


def test_an_interrupted_run_no_longer_waits(fleet, docker, wait_until):
    docker("create", "--name", "first", "-p", "9311:80", "-e", NODE, "busybox")
    waits = ["--label", "com.docker.swarm.queue=600", "-e", NODE]
    second = docker.start("run", "--name", "second", "-p", "9311:80", *waits, "busybox", "true")
    wait_until(lambda: fleet.manager.get("/swarmcore/queue"), "the run to wait")
    second.kill()
    second.communicate(timeout=60)
    wait_until(lambda: fleet.manager.get("/swarmcore/queue") == [], "the queue to be empty")


def test_containers_created_on_an_engine_count_from_their_events_on(fleet, docker, wait_until):
    direct = fleet.direct("middle")
    direct("create", "--name", "outside", "-m", "64m", "-p", "9312:80", "busybox")
    held = {"Port": "9312/tcp", "Holder": "outside"}
    wait_until(
        lambda: held in fleet.manager.get("/swarmcore/nodes/middle")["Ports"],
        "the manager to count it",
        seconds=10,
    )
    refused = docker.run("create", "-p", "9312:80", "-e", NODE, "busybox")
    assert refused.returncode != 0
    assert "port 9312/tcp taken by outside" in str(refused.stderr)
    docker("create", "--name", "elsewhere", "-p", "9312:80", "busybox")
    assert "elsewhere" not in direct("ps", "-a", "--format", "{{.Names}}")
    direct("rm", "outside")
    wait_until(
        lambda: held not in fleet.manager.get("/swarmcore/nodes/middle")["Ports"],
        "the manager to know that it is gone",
        seconds=10,
    )
    docker("create", "-p", "9312:80", "-e", NODE, "busybox")
