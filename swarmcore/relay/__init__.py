"""A request handed to an engine, its answer handed to the client."""

from swarmcore.relay.relay import (
    Relayable,
    relay,
)

__all__ = [
    "Relayable",
    "relay",
]
