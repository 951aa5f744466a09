"""A node: what the scheduler and plugins see of one engine."""

from swarmcore.node.node import (
    Node,
    Reservation,
)

__all__ = [
    "Node",
    "Reservation",
]
