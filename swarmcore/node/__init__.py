"""A node: what the scheduler and plugins see of one engine."""

from swarmcore.node.node import Node, Reservation
from swarmcore.node.overcommit import MOST_OVERCOMMIT, OVERCOMMIT_LABEL, read_overcommit

__all__ = [
    "MOST_OVERCOMMIT",
    "OVERCOMMIT_LABEL",
    "Node",
    "Reservation",
    "read_overcommit",
]
