"""The process of fake engines: ``python -m benchmarks.fake_engines.server FIRST COUNT CONTAINERS``.

It prints its ports as a line of JSON, and ends with its standard input.  With a folder as fourth
argument, each engine also listens on a unix socket there, whose name is the engine's number.
"""

import gc
import json
import os
import resource
import select
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.fake_engines.connection import Connection
from benchmarks.fake_engines.engine import FakeEngine

_BACKLOG = 512
_ACCEPTED_AT_ONCE = 64


class Server:
    """Any number of engines in one loop."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}
        self._running = True

    def listen(self, engine: FakeEngine) -> int:
        """Serve *engine* on a loopback port, and return the port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._accept(listener, engine)
        port: int = listener.getsockname()[1]
        return port

    def listen_on(self, path: Path, engine: FakeEngine) -> None:
        """Serve *engine* on a unix socket."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        self._accept(listener, engine)

    def _accept(self, listener: socket.socket, engine: FakeEngine) -> None:
        listener.setblocking(False)

        def accept(mask: int) -> None:
            for _ in range(_ACCEPTED_AT_ONCE):
                try:
                    sock, _address = listener.accept()
                except BlockingIOError:
                    return
                self._take(sock, engine)

        self._watch_new(listener.fileno(), accept)

    def _take(self, sock: socket.socket, engine: FakeEngine) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, engine, self._epoll.modify)
        self._watch_new(sock.fileno(), connection.ready)

    def _watch_new(self, descriptor: int, ready: Callable[[int], None]) -> None:
        """Call *ready* for a descriptor; epoll drops a closed one, whose number is used again."""
        self._ready[descriptor] = ready
        self._epoll.register(descriptor, select.EPOLLIN)

    def run(self) -> None:
        """Serve until standard input ends."""

        def stop(mask: int) -> None:
            self._running = bool(os.read(0, 4096))

        self._watch_new(0, stop)
        while self._running:
            for descriptor, mask in self._epoll.poll():
                self._ready[descriptor](mask)


def main() -> None:
    """Make the engines, print their ports, and serve."""
    first, count, containers = map(int, sys.argv[1:4])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = Server()
    engines = [FakeEngine(number, containers) for number in range(first, first + count)]
    for folder in sys.argv[4:]:
        for engine in engines:
            server.listen_on(Path(folder) / str(engine.number), engine)
    print(json.dumps([server.listen(engine) for engine in engines]), flush=True)
    gc.freeze()  # the garbage collector need not look at the initial containers
    server.run()


if __name__ == "__main__":
    main()
