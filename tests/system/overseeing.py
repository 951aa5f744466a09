"""Servers between and beside the parts under test, which know the work in progress."""

import contextlib
import hashlib
import http.server
import json
import re
import socket
import threading
from typing import Any

_REQUEST = re.compile(rb"(?:GET|POST|HEAD|DELETE|PUT) (\S+) HTTP/1\.1\r\n")


class Proxy:
    """Relays connections to one address, and knows the last request of each connection.

    Args:
        target: ``HOST:PORT``.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._asked: dict[socket.socket, str] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def carries(self, path: str) -> bool:
        """Return whether the last request of an open connection was for *path*, in any version."""
        return any(asked.partition("/v1.41")[2].startswith(path) for asked in self._paths())

    def close(self) -> None:
        """Accept no more connections, and close open ones."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for client in list(self._asked):
            _end(client)

    def _paths(self) -> list[str]:
        return list(self._asked.values())

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        self._asked[client] = ""
        with client, socket.create_connection(self._target) as engine:
            back = threading.Thread(target=self._pump, args=(engine, client), daemon=True)
            back.start()
            self._pump(client, engine)
            back.join()
            del self._asked[client]

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Relay one direction; its end is passed on, and an error breaks both directions."""
        try:
            while data := source.recv(65536):
                if source in self._asked and (found := _REQUEST.match(data)):
                    self._asked[source] = found[1].decode()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _end(source)
            _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class LastAnswer(Proxy):
    """A proxy that relays one last answer; after its request, no other bytes pass.

    Args:
        target: ``HOST:PORT``.

    Attributes:
        is_dead: set from that answer on, until ``revive``.
    """

    def __init__(self, target: str) -> None:
        self._last = ""
        self._client: socket.socket | None = None
        self.is_dead = threading.Event()
        super().__init__(target)

    def die_after(self, path: str) -> None:
        """Relay one more request, whose path ends with *path*, and no other bytes."""
        self._last = path

    def revive(self) -> None:
        """Relay connections again, on the same address."""
        self._last, self._client = "", None
        self.is_dead.clear()
        port = int(self.address.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if source in self._asked and (found := _REQUEST.match(data)):
                    self._asked[source] = path = found[1].decode()
                    if self._last and path.partition("?")[0].endswith(self._last):
                        self._client = source
                if self._client not in (None, source, sink):
                    continue
                sink.sendall(data)
                if sink is self._client:
                    self.is_dead.set()
                    self.close()
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _end(source)
            _end(sink)


class SlowRegistry:
    """A registry whose only image, ``slow:1``, is never sent completely.

    Args:
        host: this machine's address for engines.
    """

    def __init__(self, host: str) -> None:
        self._fetching: list[http.server.BaseHTTPRequestHandler] = []
        self._closing = threading.Event()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                registry._answer(self)

            do_HEAD = do_GET  # noqa: N815  (as the base class wants it)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.address = f"{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def is_asked(self) -> bool:
        """Return whether the image is being sent to an engine."""
        return bool(self._fetching)

    def close(self) -> None:
        """Stop listening and sending."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        kind, body = "application/octet-stream", _CONFIG
        if "/manifests/" in request.path:
            kind, body = _MANIFEST_TYPE, _MANIFEST
        elif request.path == "/v2/":
            body = b"{}"
        elif request.path.endswith(_LAYER):
            self._stall(request)
            return
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)

    def _stall(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Send twenty bytes per second until the engine disconnects, which only sending reveals."""
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        self._fetching.append(request)
        with contextlib.suppress(OSError):
            while not self._closing.wait(0.05):
                request.wfile.write(b"x")
        self._fetching.remove(request)
        request.close_connection = True


_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_LAYER = f"sha256:{'0' * 64}"
_CONFIG = json.dumps(
    {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_LAYER]},
    }
).encode()
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(_CONFIG),
            "digest": f"sha256:{hashlib.sha256(_CONFIG).hexdigest()}",
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": 1000000,
                "digest": _LAYER,
            }
        ],
    }
).encode()
