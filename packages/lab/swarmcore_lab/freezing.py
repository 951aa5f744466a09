"""A TCP proxy that can freeze: connections stay open, and no bytes pass any more.

A broken network, or a server that hangs, looks like this.  A closed port is different: clients see
an error at once.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 64 * 1024


class FreezingProxy:
    """Relays loopback connections to a port, in threads; use it in a ``with`` statement.

    Args:
        target_port: the loopback port to which connections are relayed.

    Attributes:
        port: the loopback port on which the proxy listens.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._closed = False
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed = True
            sockets = {*self._sockets, self._listener}
        for each in sockets:
            _shut(each)
        self._flowing.set()
        while self._threads:
            self._threads.pop().join()
        self._listener.close()

    def freeze(self) -> None:
        """Stop relaying; bytes that arrive meanwhile are kept."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Start relaying again, beginning with the bytes that were kept."""
        self._flowing.set()

    # ---- threads

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._flowing.wait()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target_port))
        except OSError:
            client.close()
            return
        with self._lock:
            if self._closed:
                client.close()
                server.close()
                return
            self._sockets |= {client, server}
        self._start(self._pump, client, server)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
        back.start()
        self._pass_on(client, server)
        back.join()
        with self._lock:
            self._sockets -= {client, server}
        client.close()
        server.close()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        """Relay what *source* sends; at its end, also end the other direction."""
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                self._flowing.wait()
                sink.sendall(data)
        self._flowing.wait()
        _shut(sink)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
