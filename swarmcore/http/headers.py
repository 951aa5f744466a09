"""The headers that a proxy forwards, and how it changes them.

Order, case and duplicates are kept: ``X-Docker-Expose-Session-Grpc-Method`` is sent eight times,
and each one counts.  Pure.
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TypeVar, TypeVarTuple

from swarmcore.http.messages import Headers, find_header

#: Headers that concern one connection and not the message (RFC 9110 7.6.1).
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
#: Engines on a unix socket or in a tunnel have no name; Go servers refuse some names of clients.
_HOST = (b"Host", b"docker")
#: Added to each head when it is sent; see ``request_ids``.
_REQUEST_ID = b"x-request-id"
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
#: Headers that are forwarded even if ``Connection`` names them, as they belong to the message
#: (``close`` and ``keep-alive`` are no header names).
_NO_CONNECTIONS = frozenset({b"", b"close", b"keep-alive", b"authorization", b"expect", b"host"})
_NO_CONNECTIONS_BEGIN = (b"accept", b"content-", b"x-docker-", b"x-registry-")
_RAW_STREAMS = frozenset(
    {b"application/vnd.docker.raw-stream", b"application/vnd.docker.multiplexed-stream"}
)
#: Larger headers are not remembered.
_KEPT_BYTES = 2048
#: The number of results that are remembered for each function.
_KEPT = 512
#: In the names of headers with credentials, such as ``X-Registry-Config``; and in few others.
_SECRET = re.compile(rb"auth|registry|cookie", re.IGNORECASE)

_More = TypeVarTuple("_More")
_Result = TypeVar("_Result")


def may_be_kept(headers: Headers) -> bool:
    """Whether headers may be remembered: they have no credentials and are not large."""
    text = b"\n".join([part for pair in headers for part in pair])
    return len(text) < _KEPT_BYTES and not _SECRET.search(text)


def kept_by_headers(
    work: Callable[[Headers, *_More], _Result],
) -> Callable[[Headers, *_More], _Result]:
    """Remember what *work* returns for headers that may be kept: the same ones come often."""
    kept: dict[tuple[Headers, *_More], _Result] = {}

    @wraps(work)
    def find(headers: Headers, *more: *_More) -> _Result:
        key = (headers, *more)
        found = kept.get(key)
        if found is None:
            found = work(headers, *more)
            if may_be_kept(headers):
                if len(kept) >= _KEPT:
                    kept.clear()
                kept[key] = found
        return found

    return find


def is_chunked(headers: Headers) -> bool:
    """Whether the message's body is chunked, which makes a ``Content-Length`` void (RFC 9112)."""
    return b"chunked" in (find_header(headers, b"transfer-encoding") or b"").lower()


def wants_upgrade(headers: Headers) -> bool:
    """Whether the client asks to switch the protocol after this request.

    Engines only look at ``Upgrade``; websockets also need ``Connection: Upgrade``.
    """
    return find_header(headers, b"upgrade") is not None


def request_headers(
    method: str, headers: Headers, *, length: int | None, identity: bool = False
) -> Headers:
    """The headers of a request to an engine.

    Args:
        method: method of the request.
        headers: the client's headers.
        length: length in bytes of a body that the manager sends; ``None`` if the client's body is
            streamed, with the client's framing.
        identity: whether to ask for an answer without compression.
    """
    return _request_headers(headers, method, length, identity)


@kept_by_headers
def _request_headers(headers: Headers, method: str, length: int | None, identity: bool) -> Headers:
    upgrade = wants_upgrade(headers)
    dropped = {b"host", _REQUEST_ID, *HOP_BY_HOP} | (set() if upgrade else _tokens(headers))
    if identity:
        dropped.add(b"accept-encoding")
    chunked = is_chunked(headers)
    if chunked or length is not None:
        dropped.add(b"content-length")
    if length is not None:
        dropped.add(b"expect")
    kept = [_HOST, *_without(headers, dropped)]
    if identity:
        kept.append((b"Accept-Encoding", b"identity"))
    if length is not None:
        # Engines refuse to start a container if the body is chunked, even if it is empty.
        if length or method in _BODY_METHODS:
            kept.append((b"Content-Length", b"%d" % length))
    elif chunked:
        kept.append((b"Transfer-Encoding", b"chunked"))
    if upgrade:
        if b"upgrade" in _tokens(headers):
            kept.append((b"Connection", b"Upgrade"))
        kept += [pair for pair in headers if pair[0].lower() == b"upgrade"]
    return tuple(kept)


def answer_headers(headers: Headers, *, length: bool = True) -> Headers:
    """The headers of an engine's answer for the client, without framing.

    ``Api-Version`` is removed: the manager announces its own.

    Args:
        headers: the engine's headers.
        length: whether the length of the body stays as it is.
    """
    return _answer_headers(headers, length)


@kept_by_headers
def _answer_headers(headers: Headers, length: bool) -> Headers:
    dropped = {b"api-version", _REQUEST_ID, *HOP_BY_HOP, *_tokens(headers)}
    if not length or is_chunked(headers):
        dropped.add(b"content-length")
    return tuple(_without(headers, dropped))


def tunnel_headers(headers: Headers, announced: bytes) -> Headers:
    """The headers of an answer that switches the protocol.

    ``Api-Version`` is replaced, and an id of the request is left out.
    """
    return tuple(
        (name, announced if name.lower() == b"api-version" else value)
        for name, value in headers
        if name.lower() != _REQUEST_ID
    )


def is_hijack(method: str, status: int, headers: Headers) -> bool:
    """Whether raw bytes follow the head: after 101, or for old clients' attach after a bare 200.

    The engine's answer decides, not the client's request: a detached exec is answered with an
    ordinary 200 even if the client asks for an upgrade.
    """
    if status == 101:
        return True
    if status != 200 or method != "POST":
        return False
    if find_header(headers, b"content-length") is not None or is_chunked(headers):
        return False
    kind = (find_header(headers, b"content-type") or b"").partition(b";")[0].strip().lower()
    return kind in _RAW_STREAMS


def _without(headers: Headers, dropped: set[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return (pair for pair in headers if pair[0].lower() not in dropped)


def _tokens(headers: Headers) -> set[bytes]:
    """The header names in all ``Connection`` headers, which concern this connection only.

    Headers that belong to the message are excluded (RFC 9110 7.6.1): without its length or
    expectation, the forwarded head would describe another message.
    """
    named = (
        token.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for token in value.split(b",")
    )
    return {
        name
        for name in named
        if name not in _NO_CONNECTIONS and not name.startswith(_NO_CONNECTIONS_BEGIN)
    }
