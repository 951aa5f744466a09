"""Ports of loopback for servers of tests."""

import contextlib
import random
import socket

#: Below what the kernel gives to connections (``ip_local_port_range``, from 32768 on): a port
#: from there can be taken by any client before its server listens, or while that is restarted.
_OURS = range(10_000, 32_768)


def free_port() -> int:
    """A port that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    free: set[int] = set()
    while len(free) < count:
        port = random.choice(_OURS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            free.add(port)
    return list(free)
