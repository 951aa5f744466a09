"""The HTTP/1.1 server: listeners, connections, exchanges."""

from swarmcore.http.server.server import (
    Limits,
    Server,
    ServerExchange,
    cause_of,
)

__all__ = [
    "Limits",
    "Server",
    "ServerExchange",
    "cause_of",
]
