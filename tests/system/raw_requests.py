"""Raw requests to an engine or a manager, with unchanged status, headers and body."""

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """A whole answer; for an upgraded connection, ``body`` has the first bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """Return the error's text, from JSON or plain text."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            return self.body.decode().strip()
        return str(self.json["message"])


def ask(
    address: str,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    seconds: float = 60,
) -> Reply:
    """Send one request on a new connection; *body* is sent as bytes, or as JSON.

    *seconds* is the time limit for each read and write.

    With an ``Upgrade`` among *headers*, the reply has the head and the first bytes after it.
    """
    raw = not isinstance(body, dict | list)
    data = body if raw else json.dumps(body).encode()
    sent = {} if raw else {"Content-Type": "application/json"}
    if body is None and method == "POST":
        data = b""
    sent |= headers or {}
    connection = http.client.HTTPConnection(address, timeout=seconds)
    try:
        if "Upgrade" in sent:
            return _upgrade(connection, method, path, data or b"", sent)
        connection.request(method, path, data, sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read())
    finally:
        connection.close()


def _upgrade(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    data: bytes,
    headers: Mapping[str, str],
) -> Reply:
    head = {"Host": "docker", "Connection": "Upgrade", "Content-Length": len(data), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    connection.connect()
    assert isinstance(connection.sock, socket.socket)
    connection.sock.sendall("\r\n".join([*lines, "", ""]).encode() + data)
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.sock.recv(65536)
        assert piece, f"{method} {path}: ended in the middle of a head: {received!r}"
        received += piece
    first, *rest = received.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    found = dict(line.lower().split(": ", 1) for line in rest)
    return Reply(int(first.split()[1]), found, received.partition(b"\r\n\r\n")[2])
