"""Replication: the role of this manager among several, and forwarding to the primary."""

from swarmcore.replication.replication import Replication

__all__ = [
    "Replication",
]
