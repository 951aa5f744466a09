"""Heads of requests as they are sent: h11 writes what is new, and the rest is remembered."""

import re
from typing import NamedTuple

import h11

from swarmcore.http.headers import kept_by_headers
from swarmcore.http.messages import Headers
from swarmcore.http.request_ids import add_request_id, current_request_id

_TARGET = re.compile(r"/[!-~]*")


class Outgoing(NamedTuple):
    """The head of a request.

    Attributes:
        method: upper case.
        target: path and query.
        headers: complete and in order.
        head: the bytes that are sent.
        length: bytes of the body; ``None`` for a chunked one.
        request_id: the id that the head has in addition to *headers*; empty for none.
    """

    method: str
    target: str
    headers: Headers
    head: bytes
    length: int | None
    request_id: bytes

    def event(self) -> h11.Request:
        """The same for h11."""
        added = [(b"X-Request-Id", self.request_id)] if self.request_id else []
        return h11.Request(method=self.method, target=self.target, headers=[*self.headers, *added])


def write_request(method: str, target: str, headers: Headers) -> Outgoing:
    """Write the head of a request, with the id of the request for which this task works.

    Args:
        method: upper case.
        target: path and query.
        headers: complete and in order, with ``Host``.

    Raises:
        h11.LocalProtocolError: the head is malformed.
        UnicodeError: the target is not ASCII.
    """
    if _TARGET.fullmatch(target):
        after, length = _write_once(headers, method)
    else:
        after, length = _write(method, target, headers)
    request_id = current_request_id()
    head = add_request_id(f"{method} {target}".encode() + after, request_id)
    return Outgoing(method, target, headers, head, length, request_id)


@kept_by_headers
def _write_once(headers: Headers, method: str) -> tuple[bytes, int | None]:
    return _write(method, "/", headers)


def _write(method: str, target: str, headers: Headers) -> tuple[bytes, int | None]:
    """What follows the target in a head, and the length of the body."""
    request = h11.Request(method=method, target=target, headers=list(headers))
    head = h11.Connection(h11.CLIENT).send(request) or b""
    length: int | None = 0
    for name, value in request.headers:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            return head[len(method) + len(target) + 1 :], None
    return head[len(method) + len(target) + 1 :], length
