"""Loopback ports for servers in tests."""

import contextlib
import os
import random
import socket

#: Below the range of ``ip_local_port_range`` (from 32768 on), from which the kernel chooses ports
#: for connections: a client could take such a port before its server listens, or at a restart.
_FIRST, _END = 10_000, 32_768
#: Ports that this process has given out; they stay reserved for its tests.
_given: set[int] = set()


def free_port() -> int:
    """Return a port on which nothing listens."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different ports on which nothing listens, and that no other test has."""
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
    """Return the ports of this process; workers of pytest-xdist (``gw1``) share all ports."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not number.isdigit():
        return range(_FIRST, _END)
    return range(_FIRST + int(number), _END, int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
