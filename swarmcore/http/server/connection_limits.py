"""How much one client may ask of the server.  Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a client can make the server hold and wait for.

    Attributes:
        connections: open at once on all listeners together; the next one gets 503.
        peer_connections: the same for one IP address; 0 for no limit per address.
        head_bytes: of the request line and the headers.  ``X-Registry-Config`` carries every
            registry's credentials, ``buildargs`` long queries: engines take about this much.
        header_count: headers of one request.
        parsed_body_bytes: of a body that is read whole.
        parsed_body_seconds: how long such a body may take to arrive.
        head_seconds: from a request's first byte to the end of its head.
        idle_seconds: between two requests of one connection; clients hold pools for minutes.
        handshake_seconds: for TLS.
        ahead_bytes: read beyond the request that is being answered.
    """

    connections: int = 10_000
    peer_connections: int = 0
    head_bytes: int = 1 << 20
    header_count: int = 1_000
    parsed_body_bytes: int = 8 << 20
    parsed_body_seconds: float = 60.0
    head_seconds: float = 20.0
    idle_seconds: float = 600.0
    handshake_seconds: float = 10.0
    ahead_bytes: int = 1 << 16
