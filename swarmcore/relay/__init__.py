"""A request handed to an engine, its answer handed to the client."""

from swarmcore.relay.relay import (
    Relayable,
    forward,
    relay,
)

__all__ = [
    "Relayable",
    "forward",
    "relay",
]
