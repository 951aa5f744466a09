"""The HTTP of fake engines: parse heads of requests, write heads of answers."""

import time
from email.utils import formatdate
from urllib.parse import parse_qsl

from benchmarks.fake_engines.documents import MAX_API, VERSION

_VERSIONED = "/v1."
#: Paths below these have an object's name or id as their second word.
_KINDS = frozenset({"containers", "exec", "images", "networks", "volumes"})
#: Words of paths in the place of a name.
_WORDS = frozenset({"create", "json", "load", "prune"})
#: Larger bodies are chunked, as by Go's server, which buffers only this much of an answer.
_MOST_WITH_LENGTH = 2048
_REASONS = {
    101: b"UPGRADED",
    200: b"OK",
    201: b"Created",
    204: b"No Content",
    304: b"Not Modified",
    404: b"Not Found",
    409: b"Conflict",
}
_REMEMBERED = 2000


class Head:
    """The head of a request.

    Attributes:
        route: method and path, with ``*`` instead of a name: ``GET /containers/*/json``.
        name: that name; empty if the path has none.
        query: the first value of each parameter.
        length: the bytes of the body; ``None`` for a chunked body.
        upgrades: whether the client asks for another protocol.
    """

    __slots__ = ("length", "name", "query", "route", "upgrades")

    def __init__(self, data: bytes) -> None:
        line, _, headers = data.partition(b"\r\n")
        method, target, _ = line.decode("latin-1").split(" ", 2)
        path, _, query = target.partition("?")
        self.name = ""
        self.route = f"{method} {self._strip(path)}"
        self.query = dict(parse_qsl(query, keep_blank_values=True))
        lower = headers.lower()
        self.length = _length(lower)
        self.upgrades = b"\nupgrade:" in lower

    def _strip(self, path: str) -> str:
        if path.startswith(_VERSIONED):
            path = path[path.index("/", 1) :] if "/" in path[1:] else "/"
        words = path.split("/")
        if len(words) > 2 and words[1] in _KINDS and words[2] not in _WORDS:
            self.name, words[2] = words[2], "*"
        return "/".join(words)


def _length(headers: bytes) -> int | None:
    if b"transfer-encoding:" in headers:
        return None
    _, found, rest = headers.partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


class Heads:
    """Parses heads and remembers them, because clients send the same heads again."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def read(self, data: bytes) -> Head:
        """Parse the head *data*, which is without the empty line at its end."""
        head = self._known.get(data)
        if head is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            head = self._known[data] = Head(data)
        return head


class Date:
    """The value of the ``Date`` header, formatted once per second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = b""

    def now(self) -> bytes:
        """Return the value."""
        second = int(time.time())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True).encode()
        return self._text


_DATE = Date()
_COMMON = (
    f"Api-Version: {MAX_API}\r\nDocker-Experimental: false\r\nOstype: linux\r\n"
    f"Server: Docker/{VERSION} (linux)\r\n"
).encode()
_FIRST = {
    status: b"HTTP/1.1 %d %b\r\n%b" % (status, reason, _COMMON)
    for status, reason in _REASONS.items()
}
_HIJACKED = b"Content-Type: application/vnd.docker.multiplexed-stream\r\n" + _COMMON + b"\r\n"


def answer(status: int, body: bytes = b"", kind: bytes = b"application/json") -> bytes:
    """Return a whole answer.

    Args:
        status: one of the statuses of fake engines.
        body: the body; chunked if a real engine would do so.
        kind: the media type.
    """
    first, date = _FIRST[status], _DATE.now()
    if not body:
        end = b"" if status in (204, 304) else b"Content-Length: 0\r\n"
        return b"%bDate: %b\r\n%b\r\n" % (first, date, end)
    if len(body) <= _MOST_WITH_LENGTH:
        return b"%bContent-Type: %b\r\nDate: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            first, kind, date, len(body), body,
        )  # fmt: skip
    return (
        b"%bContent-Type: %b\r\nDate: %b\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (first, kind, date, len(body), body)
    )


def stream_head(kind: bytes, extra: bytes = b"") -> bytes:
    """Return the head of a chunked answer.

    Args:
        kind: the media type.
        extra: more header lines, each with its end.
    """
    return b"%bContent-Type: %b\r\nDate: %b\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (
        _FIRST[200], kind, _DATE.now(), extra,
    )  # fmt: skip


def hijacked_head(asked: Head) -> bytes:
    """Return the head of an answer after which the connection has raw bytes."""
    if asked.upgrades:
        return b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n" + _HIJACKED
    return b"HTTP/1.1 200 OK\r\n" + _HIJACKED
