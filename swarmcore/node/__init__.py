"""A node: what the scheduler and plugins see of one engine."""

from swarmcore.node.node import (
    MOST_OVERCOMMIT,
    OVERCOMMIT_LABEL,
    Node,
    Reservation,
    read_overcommit,
)

__all__ = [
    "MOST_OVERCOMMIT",
    "OVERCOMMIT_LABEL",
    "Node",
    "Reservation",
    "read_overcommit",
]
