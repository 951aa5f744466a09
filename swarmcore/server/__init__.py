"""HTTP/1.1 over trio: listeners, connections, exchanges."""

from swarmcore.server.server import (
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
