"""Ten thousand idle connections."""

import resource
import socket
import struct

import pytest

from tests.component.faults.process import running

MANY = 10_000
#: The manager keeps half of the descriptors for engines.
NEEDED = 2 * MANY
PING = b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def descriptors():
    """Raise the limit of open files, of which each connection needs one on either side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= NEEDED, f"needs ulimit -Hn {NEEDED}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (NEEDED, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections_cost_little_and_keep_nobody_out(tmp_path, descriptors):
    with running(tmp_path, "127.0.0.1:1") as manager:
        before, connections = manager.memory, []
        try:
            for _ in range(MANY):
                connections.append(manager.connect())
                # Closed with a reset, which leaves no port occupied.
                connections[-1].setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            for each in connections[::100]:  # most have not asked anything yet
                each.sendall(PING)
                assert each.recv(15) == b"HTTP/1.1 200 OK"
            assert manager.memory - before < MANY * 20_000
            assert manager.ask("GET", "/containers/json") == (200, "[]\n")
            # The new one took the place of the connection that was idle longest.
            assert connections[1].recv(1000) == b""
            connections[-1].sendall(PING)
            assert connections[-1].recv(15) == b"HTTP/1.1 200 OK"
        finally:
            for each in connections:
                each.close()
        manager.wait(lambda: manager.descriptors < 100)
        assert manager.serves()
