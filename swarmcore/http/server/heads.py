"""Heads of requests: parsed once, and remembered by their exact bytes.

A client sends few different heads many times.  A new head is parsed (``incoming``).  If the same
bytes come again, they have the same meaning and are not parsed again.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from urllib.parse import unquote

import h11

from swarmcore.errors import SwarmError
from swarmcore.http.headers import may_be_kept
from swarmcore.http.messages import Client, Headers, Query, Request, find_header
from swarmcore.http.request_ids import chosen_id
from swarmcore.http.routing import clean_path, origin_form
from swarmcore.request_limits import PARAMETERS, check_count
from swarmcore.versions import split_version

#: The number of heads that are kept, and the bytes of the longest one: a few hundred KB in all.
_KEPT = 512
_KEPT_BYTES = 2048
_END = b"\r\n\r\n"


class MalformedRequest(SwarmError):
    """The request is not HTTP/1.1, or its head is too large.

    Args:
        message: the error.
        status: 400, 431, 501 or 505.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one request.

    Attributes:
        request: the request.
        http10: whether the client uses HTTP/1.0.
        wants_close: whether the client ends the connection after the answer.
    """

    request: Request
    http10: bool
    wants_close: bool


def make_head(
    method: bytes, target: bytes, headers: Headers, client: Client, *, http10: bool = False
) -> Head:
    """Make the head of a request that has been accepted.

    Args:
        method, target, headers: as they came.
        client: the client that sent it.
        http10: whether the client uses HTTP/1.0.

    Raises:
        BadRequest: more query parameters than ``request_limits`` allows.
    """
    text = target.decode("latin-1")
    path, _, query = origin_form(text).partition("?")
    check_count(query.count("&") + 1, PARAMETERS, "query parameters")
    version, path = split_version(unquote(path))
    request = Request(
        method=method.decode("latin-1").upper(),
        target=text,
        path=clean_path(path),
        query=Query.parse(query) if query else Query(),
        version=version,
        headers=headers,
        client=client,
        chosen_id=chosen_id(find_header(headers, b"x-request-id")),
    )
    connection = request.header("connection")
    wants_close = connection is not None and "close" in connection.lower()
    return Head(request, http10, wants_close)


class KnownHeads:
    """Heads of requests without a body that have been accepted, by their exact bytes.

    The least recently used head is dropped first.  A head with credentials is never kept.
    """

    def __init__(self) -> None:
        self._heads: OrderedDict[bytes, Head] = OrderedDict()

    def find(self, data: bytes, client: Client) -> Head | None:
        """Return the known head of *data*, which must not contain anything after the head."""
        head = self._heads.get(data)
        if head is None:
            return None
        self._heads.move_to_end(data)
        if head.request.client == client:
            return head
        return replace(head, request=replace(head.request, client=client))

    def keep(self, data: bytes, head: Head) -> None:
        """Keep the head that was parsed from *data*; the request must have no body."""
        # Nothing follows the head; one that ends in bare line feeds is read by h11 each time.
        if len(data) > _KEPT_BYTES or data.find(_END) != len(data) - len(_END):
            return
        if not may_be_kept(head.request.headers):
            return
        self._heads[data] = head
        if len(self._heads) > _KEPT:
            self._heads.popitem(last=False)


def malformed_request(error: h11.RemoteProtocolError) -> MalformedRequest:
    """The answer to a head that h11 refuses."""
    if error.error_status_hint == 431:
        return MalformedRequest("request header fields too large", 431)
    # After the colon, h11 quotes the client's data.
    text = str(error).partition(":")[0]
    return MalformedRequest(f"malformed request: {text}", error.error_status_hint)
