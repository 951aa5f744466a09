"""Writes HTTP/1 answers: status line, headers, chunks.

h11 parses messages, but answers are written here, because a head is sent together with its body,
and because an attach begins with a raw 200, which h11 refuses to write.  Pure.
"""

from collections.abc import Iterable
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus

from swarmcore.http.messages import Headers

LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_NO_BODY = frozenset({204, 304})


class Framing(Enum):
    """How the end of a body is marked."""

    NONE = "there is no body"
    LENGTH = "by Content-Length"
    CHUNKED = "by the last chunk"
    CLOSE = "by closing the connection"


def names_of(headers: Headers) -> set[bytes]:
    """The names of *headers* in lower case."""
    return {name.lower() for name, _ in headers}


def answer_framing(method: str, status: int, names: Iterable[bytes], *, http10: bool) -> Framing:
    """How the body of an answer is framed.

    Args:
        method: method of the request.
        status: status of the answer.
        names: names of the answer's headers, in lower case.
        http10: whether the client uses HTTP/1.0, which has no chunks.
    """
    if method == "HEAD" or status in _NO_BODY or status < 200:
        return Framing.NONE
    if b"content-length" in names:
        return Framing.LENGTH
    return Framing.CLOSE if http10 else Framing.CHUNKED


def answer_head(
    status: int, headers: Headers, *, reason: bytes = b"", http10: bool = False
) -> bytes:
    """Status line and headers, with the empty line.

    Args:
        status: the status.
        headers: the headers.
        reason: replaces the default text of the status.
        http10: whether the client uses HTTP/1.0.

    Raises:
        ValueError: a name or value has a line break.
    """
    version = b"1.0" if http10 else b"1.1"
    lines = [b"HTTP/%s %d %s" % (version, status, reason or _REASONS.get(status, b"Unknown"))]
    lines += [b"%s: %s" % pair for pair in headers]
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    expected = len(lines) + 1
    if head.count(b"\r") != expected or head.count(b"\n") != expected or b"\0" in head:
        raise ValueError(f"line break in an answer's header: {headers!r}")
    return head


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; *data* must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Headers = ()) -> bytes:
    """The end of a chunked body."""
    if not trailers:
        return LAST_CHUNK
    return b"0\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in trailers) + b"\r\n"


def http_date(seconds: float) -> bytes:
    """Unix *seconds* as a ``Date`` header has it."""
    return formatdate(seconds, usegmt=True).encode()
