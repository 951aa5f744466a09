"""Ports of loopback for servers of tests."""

import contextlib
import os
import random
import socket

#: Below what the kernel gives to connections (``ip_local_port_range``, from 32768 on): a port
#: from there can be taken by any client before its server listens, or while that is restarted.
_FIRST, _END = 10_000, 32_768
#: What was given out is somebody's, also before it is listened on, and while a server restarts.
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different, and nobody else of these tests has."""
    ours, free = _ours(), list[int]()
    while len(free) < count:
        port = random.choice(ours)
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            free.append(port)
            _given.add(port)
    return free


def _ours() -> range:
    """What this process has of all ports: pytest-xdist's workers, as ``gw1``, share them."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not number.isdigit():
        return range(_FIRST, _END)
    return range(_FIRST + int(number), _END, int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
