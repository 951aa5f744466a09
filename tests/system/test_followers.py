"""Followers and attached clients come and go, and nothing remains on either side."""

import contextlib
import os
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.docker


class Clients(NamedTuple):
    """A number of clients of one kind, and how many of them are connected at once.

    Attributes:
        request: the request of each client, for the container ``box``.
        heard: the bytes that each client reads before it disconnects; the rest stays unread.
        engine_lets_go: whether an engine without a manager ends its side.
    """

    many: int
    at_once: int
    request: str
    heard: bytes
    engine_lets_go: bool = True


UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
KINDS = {
    "followers of a log": Clients(
        1000, 200, "GET /v1.41/containers/{box}/logs?follow=1&stdout=1 HTTP/1.1\r\n", b"here I am"
    ),
    "attached": Clients(
        200, 200,
        f"POST /v1.41/containers/{{box}}/attach?logs=1&stream=1&stdout=1 HTTP/1.1\r\n{UPGRADE}",
        b"here I am",
        engine_lets_go=False,  # 28.5 keeps a socket of each
    ),
    "slow readers": Clients(
        40, 20, "GET /v1.41/containers/{flood}/logs?follow=1&stdout=1 HTTP/1.1\r\n", b"200 OK"
    ),
}  # fmt: skip


def come(fleet, request, heard):
    """Return a connection on which the answer has begun, so the engine has the request, too."""
    client = socket.create_connection(("127.0.0.1", fleet.manager.port), 60)
    client.sendall(f"{request}Host: lab\r\n\r\n".encode())
    seen = b""
    while heard not in seen:
        data = client.recv(4096)
        assert data, seen
        seen += data
    return client


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def connections(pid):
    """Return the sockets of a process, from its file descriptors."""
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(entry).startswith("socket:")
    return found


@pytest.fixture
def names(fleet):
    """The names of a container that prints every second, and of one that has printed 20 MB."""
    docker, names = fleet.docker(), {"box": "speaks", "flood": "spoke"}
    commands = (
        # An attached client's end is known for one only when there is something to tell it.
        "while echo here I am; do sleep 1; done",
        "dd if=/dev/zero bs=1k count=20000 | tr '\\0' x | fold -w 1000; sleep 3600",
    )
    for name, command in zip(names.values(), commands, strict=True):
        docker("run", "-d", "--init", "--name", name, "-e", "constraint:node==new", "busybox",
               "sh", "-c", command)  # fmt: skip
    return names


@pytest.mark.parametrize("kind", KINDS)
def test_disconnected_clients_leave_nothing_behind(fleet, names, wait_until, kind):
    clients, request = KINDS[kind], KINDS[kind].request.format_map(names)
    manager, engine = fleet.manager.process.pid, fleet.engines["new"].pid
    come(fleet, request, clients.heard).close()  # what is opened once and kept is open now
    before = descriptors(manager), connections(manager), descriptors(engine)
    for _ in range(clients.many // clients.at_once):
        present = [come(fleet, request, clients.heard) for _ in range(clients.at_once)]
        assert connections(manager) >= before[1] + clients.at_once
        for each in present:
            each.close()
    # Connections that are kept for the next request are few, however many there were.
    wait_until(
        lambda: descriptors(manager) <= before[0] + 20, "the manager to let go of its descriptors"
    )
    assert connections(manager) <= before[1] + 20
    if clients.engine_lets_go:
        wait_until(
            lambda: descriptors(engine) <= before[2] + 20, "the engine to let go of its descriptors"
        )
