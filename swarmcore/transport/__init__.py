"""The control path to one engine, over TCP, TLS, a unix socket or ssh."""

from swarmcore.transport.transport import (
    EngineClient,
)

__all__ = [
    "EngineClient",
]
