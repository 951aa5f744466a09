"""What a proxy changes in the headers that it passes on.

Order, case and duplicates are kept: ``X-Docker-Expose-Session-Grpc-Method`` comes eight times, and
each one counts.  Pure.
"""

from collections.abc import Iterable

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
#: Engines behind a unix socket or a tunnel have no name; Go servers refuse some that clients send.
_HOST = (b"Host", b"docker")
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
#: Never dropped because ``Connection`` names them: they are part of the message (and ``close`` and
#: ``keep-alive`` name no header).
_NO_CONNECTIONS = frozenset({b"", b"close", b"keep-alive", b"authorization", b"expect", b"host"})
_NO_CONNECTIONS_BEGIN = (b"accept", b"content-", b"x-docker-", b"x-registry-")
_RAW_STREAMS = frozenset(
    {b"application/vnd.docker.raw-stream", b"application/vnd.docker.multiplexed-stream"}
)


def is_chunked(headers: Headers) -> bool:
    """Whether the message's body is chunked, which makes a ``Content-Length`` void (RFC 9112)."""
    return b"chunked" in (find_header(headers, b"transfer-encoding") or b"").lower()


def wants_upgrade(headers: Headers) -> bool:
    """Whether the client offers to leave HTTP after this request.

    Engines look at ``Upgrade`` alone; only websockets need ``Connection: Upgrade`` as well.
    """
    return find_header(headers, b"upgrade") is not None


def request_headers(
    method: str, headers: Headers, *, length: int | None, identity: bool = False
) -> Headers:
    """The headers of a request as its engine gets them.

    Args:
        method: of the request.
        headers: the client's.
        length: bytes of a body that we send ourselves; ``None`` streams the client's, framed as
            the client framed it.
        identity: ask for an answer that is not compressed.
    """
    upgrade = wants_upgrade(headers)
    dropped = {b"host", *HOP_BY_HOP} | (set() if upgrade else _tokens(headers))
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
        # Engines refuse to start a container with a chunked body, be it empty.
        if length or method in _BODY_METHODS:
            kept.append((b"Content-Length", b"%d" % length))
    elif chunked:
        kept.append((b"Transfer-Encoding", b"chunked"))
    if upgrade:
        if b"upgrade" in _tokens(headers):
            kept.append((b"Connection", b"Upgrade"))
        kept += [pair for pair in headers if pair[0].lower() == b"upgrade"]
    return tuple(kept)


def answer_headers(headers: Headers) -> Headers:
    """The headers of an engine's answer as the client gets them, framing apart.

    The engine's ``Api-Version`` goes: what this manager speaks is another matter.
    """
    dropped = {b"api-version", *HOP_BY_HOP, *_tokens(headers)}
    if is_chunked(headers):
        dropped.add(b"content-length")
    return tuple(_without(headers, dropped))


def tunnel_headers(headers: Headers, announced: bytes) -> Headers:
    """The headers of an answer that ends HTTP: untouched, but for an ``Api-Version`` in it."""
    return tuple(
        (name, announced if name.lower() == b"api-version" else value) for name, value in headers
    )


def is_hijack(method: str, status: int, headers: Headers) -> bool:
    """Whether raw bytes follow the head: after 101, and for old clients' attach after a bare 200.

    The engine's real answer decides, not what the client asked for: an exec that is detached
    answers an ordinary 200 even to an upgrade.
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
    """The header names in every ``Connection`` header: those concern this connection only.

    Left out are headers that belong to the message (RFC 9110 7.6.1): without its length or its
    expectation a head that goes on would mean another message.
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
