"""A thousand followers of a log come and go, and leave nothing behind on either side."""

import contextlib
import os
import socket
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

FOLLOWERS, WAVE = 1000, 200


def follow(fleet, path):
    """A connection on which the answer has begun: the engine has it, and has said a line."""
    client = socket.create_connection(("127.0.0.1", fleet.manager.port), 60)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: lab\r\n\r\n".encode())
    seen = b""
    while b"here I am" not in seen:
        data = client.recv(65536)
        assert data, seen
        seen += data
    return client


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def connections(pid):
    """Sockets of a process, by what its descriptors point at."""
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(entry).startswith("socket:")
    return found


@pytest.fixture
def log(fleet):
    """Of a container that has said something, and lives on."""
    docker = fleet.docker()
    docker(
        "run", "-d", "--name", "talks", "-e", "constraint:node==new", "busybox",
        "sh", "-c", "echo here I am; sleep 3600",
    )  # fmt: skip
    return "/v1.41/containers/talks/logs?follow=1&stdout=1"


def test_a_thousand_dropped_followers_leave_nothing_behind(fleet, log, wait_until):
    manager, engine = fleet.manager.process.pid, fleet.engines["new"].pid
    follow(fleet, log).close()  # what is opened once and kept is open now
    before = descriptors(manager), connections(manager), descriptors(engine)
    for _ in range(FOLLOWERS // WAVE):
        followers = [follow(fleet, log) for _ in range(WAVE)]
        assert connections(manager) >= before[1] + WAVE
        for each in followers:
            each.close()
    # Connections that are kept for the next request are few, however many there were.
    wait_until(
        lambda: descriptors(manager) <= before[0] + 20, "the manager to let go of its descriptors"
    )
    wait_until(
        lambda: descriptors(engine) <= before[2] + 20, "the engine to let go of its descriptors"
    )
    assert connections(manager) <= before[1] + 20
