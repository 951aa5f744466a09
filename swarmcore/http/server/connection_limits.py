"""Limits on what one client may use of the server.  Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what clients can make the server store and wait for.

    Attributes:
        connections: open connections on all listeners together, at most half of the limit of open
            files.  For a further one, the connection that is idle longest is closed; if none is
            idle, those beyond this number get 503.
        peer_connections: open connections of one IP address; 0 for no limit.
        head_bytes: size of request line and headers.  ``X-Registry-Config`` has the credentials of
            all registries, and ``buildargs`` can be long; engines accept about the same size.
        header_count: headers of one request.
        parsed_body_bytes: size of a body that is read completely.
        parsed_body_seconds: time in which such a body must arrive.
        head_seconds: time from the first byte of a request to the end of its head.
        idle_seconds: time between two requests on a connection; clients keep pools for minutes.
            Also the time in which a client must take the next piece of a large complete answer.
        handshake_seconds: time for the TLS handshake.
        ahead_bytes: size of data that is read beyond the request being answered.
    """

    connections: int = 10_000
    peer_connections: int = 0
    head_bytes: int = 1 << 20
    header_count: int = 1_000
    parsed_body_bytes: int = 4 << 20
    parsed_body_seconds: float = 60.0
    head_seconds: float = 20.0
    idle_seconds: float = 600.0
    handshake_seconds: float = 10.0
    ahead_bytes: int = 1 << 16
