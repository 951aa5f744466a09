"""One of several managers: its role among them, and the requests that it hands to the primary."""

from swarmcore.replication.replication import Replication

__all__ = [
    "Replication",
]
