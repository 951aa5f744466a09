"""Finds the end of heads, and reads heads fast as long as they are plain.  Pure.

h11 takes some 60 µs for a head.  Answers of one engine differ in their length and date, so that the
bytes of a head often come again within a second.  What is not plain is left to h11.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from swarmcore.http.messages import Headers

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ([ -~]*)")
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.1")
#: Headers of requests whose meaning h11 follows.
_SPECIAL = frozenset({b"expect", b"upgrade"})
#: What h11 accepts, less tabs, control characters and all beyond ASCII.
_HEADER = re.compile(rb"([-!#$%&'*+.^_`|~0-9a-zA-Z]+): ?((?:[!-~](?:[ -~]*[!-~])?)?)")
_NO_BODY = frozenset({204, 304})
#: The end of a head, as h11 recognises it.
_BLANK_LINE = re.compile(rb"\n\r?\n")


class HeadCutter:
    """Cuts off what follows a head, so that h11 gets the head alone: bodies are read without it."""

    def __init__(self) -> None:
        #: The last bytes of an incomplete head.
        self._before = b""

    def cut(self, data: bytes) -> tuple[bytes, bytes]:
        """Cut *data* at the end of the head, if that is in it; then another head may follow.

        Args:
            data: the data received after that of the previous call.

        Returns:
            What belongs to the head, and what follows it.
        """
        joined = self._before + data
        end = _BLANK_LINE.search(joined)
        if end is None:
            self._before = joined[-2:]
            return data, b""
        at = end.end() - len(self._before)
        self._before = b""
        return data[:at], data[at:]


@dataclass(frozen=True, slots=True)
class PlainHead:
    """The head of an answer after which the connection may be used again.

    Attributes:
        status: 200 or above.
        headers: as they came.
        reason: the text of the status.
        length: bytes of the body; ``None`` for a chunked one.
    """

    status: int
    headers: Headers
    reason: bytes
    length: int | None


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """The head of a request of HTTP/1.1 that asks for nothing special.

    Attributes:
        method: upper case.
        target: as it came.
        headers: as they came.
        length: bytes of the body; ``None`` for a chunked one.
    """

    method: bytes
    target: bytes
    headers: Headers
    length: int | None


def read_plain_request(data: bytes) -> PlainRequest | None:
    """The head of a request; ``None`` if h11 must read it.

    Args:
        data: request line, headers and empty line.
    """
    first, *lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request_line = _REQUEST_LINE.fullmatch(first)
    headers = _read_headers(lines)
    if request_line is None or headers is None:
        return None
    names = [name.lower() for name, _ in headers]
    if names.count(b"host") != 1 or not _SPECIAL.isdisjoint(names):
        return None
    match _framing_of(headers):
        case []:
            length: int | None = 0
        case [(b"content-length", digits)] if digits.isdigit() and len(digits) < 16:
            length = int(digits)
        case [(b"transfer-encoding", b"chunked")]:
            length = None
        case _:
            return None
    return PlainRequest(request_line[1], request_line[2], headers, length)


def _read_headers(lines: list[bytes]) -> Headers | None:
    found = [_HEADER.fullmatch(line) for line in lines]
    headers = tuple([(match[1], match[2]) for match in found if match is not None])
    return headers if len(headers) == len(lines) else None


def _framing_of(headers: Headers) -> list[tuple[bytes, bytes]]:
    lowered = [(name.lower(), value) for name, value in headers]
    return [pair for pair in lowered if pair[0] in (b"content-length", b"transfer-encoding")]


@lru_cache(maxsize=256)
def read_plain_head(data: bytes, *, is_head: bool) -> PlainHead | None:
    """The head of an answer; ``None`` if h11 must read it.

    Args:
        data: status line, headers and empty line; a few KB, as it is kept for the next time.
        is_head: whether the request was a ``HEAD``.
    """
    first, *lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    headers = _read_headers(lines)
    if status_line is None or headers is None:
        return None
    status = int(status_line[1])
    framing = [
        (name.lower(), value)
        for name, value in headers
        if name.lower() in (b"connection", b"content-length", b"transfer-encoding")
    ]
    match framing:
        case [(b"content-length", digits)] if digits.isdigit() and len(digits) < 16:
            length: int | None = int(digits)
        case [(b"transfer-encoding", b"chunked")]:
            length = None
        case [] if is_head or status in _NO_BODY:
            length = 0
        case _:
            return None
    if is_head or status in _NO_BODY:
        length = 0
    return PlainHead(status, headers, status_line[2], length)
