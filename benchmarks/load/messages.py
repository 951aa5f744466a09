"""The HTTP of the load generator: encode requests, and find the ends of answers."""

import functools
import re
import socket
import ssl
from collections.abc import Sequence

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
_TIMEOUT_SECONDS = 120.0
#: A port of loopback, the same after ``TLS``, or the path of a unix socket.
Address = int | str
TLS = "tls:"
#: The bytes that are received at once, so that a head is always kept.
RECEIVE_BYTES = 256 * 1024
_KEPT_BYTES = RECEIVE_BYTES
#: Heads of earlier answers, because servers send the same heads again.
_HEADS: dict[bytes, tuple[int, int | None]] = {}
_REMEMBERED = 100
END_OF_CHUNKS = b"0\r\n\r\n"


class Unexpected(Exception):
    """An answer that no load may get; ends the measurement."""


def request(
    method: str, target: str, body: bytes | None = None, headers: Sequence[str] = ()
) -> bytes:
    """Return a request.

    Args:
        method: the method in upper case.
        target: path and query.
        body: JSON, sent with its length; ``None`` for no body.
        headers: whole lines, without their ends.
    """
    lines = [f"{method} {target} HTTP/1.1", "Host: benchmark", "User-Agent: benchmark/1", *headers]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    elif method == "POST" and not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append("Content-Length: 0")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def connect(address: Address) -> socket.socket:
    """Return a blocking connection with a time limit."""
    if isinstance(address, str) and address.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(_TIMEOUT_SECONDS)
        sock.connect(address)
        return sock
    port = int(str(address).removeprefix(TLS))
    sock = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock if isinstance(address, int) else _unverified().wrap_socket(sock)


@functools.cache
def _unverified() -> ssl.SSLContext:
    """Return a TLS context that does not verify the benchmarks' own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Answer:
    """One answer that arrives in pieces.

    Attributes:
        status: the status; 0 before the head has arrived.
        size: the bytes so far, with the head.
        data: the bytes of a small answer, or the beginning of a large one.
    """

    __slots__ = ("_end", "_left", "data", "size", "status")

    def __init__(self) -> None:
        self.status = 0
        self.size = 0
        self.data = b""
        self._end = b""
        self._left: int | None = 0

    def take(self, piece: memoryview) -> bool:
        """Add a piece; return whether the answer is complete."""
        size = len(piece)
        self.size += size
        if not self.status:
            self.data += piece
            return self._take_head()
        if self.size <= _KEPT_BYTES:
            self.data += piece
        if self._left is not None:
            self._left -= size
            return self._left <= 0
        self._end = (self._end + piece[-5:].tobytes())[-5:]
        return self._end == END_OF_CHUNKS

    def _take_head(self) -> bool:
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found:
            return False
        self.status, length = _HEADS.get(head) or _read_head(head)
        if length is not None:
            self._left = length - len(body)
            return self._left <= 0
        self._left, self._end = None, self.data[-5:]
        return self._end == END_OF_CHUNKS


def _read_head(head: bytes) -> tuple[int, int | None]:
    """Return the status and the length of the body; cached while the ``Date`` stays the same."""
    if len(_HEADS) >= _REMEMBERED:
        _HEADS.clear()
    status, found = int(head[9:12]), _LENGTH.search(head)
    length = int(found[1]) if found else None
    told = _HEADS[head] = status, 0 if status in (204, 304) else length
    return told


def ask(sock: socket.socket, data: bytes) -> Answer:
    """Send a request and wait for its answer.

    Raises:
        Unexpected: no answer, or one that is no success.
    """
    sock.sendall(data)
    answer = Answer()
    while piece := sock.recv(_KEPT_BYTES):
        if answer.take(memoryview(piece)):
            return check(answer)
    raise Unexpected("the connection ended before the answer did")


def check(answer: Answer) -> Answer:
    """Return *answer* if it is a success.

    Raises:
        Unexpected: it is not.
    """
    if not 200 <= answer.status < 300:
        raise Unexpected(answer.data[:1000].decode("utf-8", "replace"))
    return answer


def read_head(sock: socket.socket) -> tuple[int, bytes]:
    """Read the head of a stream; return the status, and the bytes of the body so far.

    Raises:
        Unexpected: the connection ended.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise Unexpected(f"no answer: {data!r}")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return int(head[9:12]), rest
