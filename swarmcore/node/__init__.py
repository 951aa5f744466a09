"""A node: what the scheduler and plugins see of one engine."""

from swarmcore.node.failed_pulls import count_failed_pulls
from swarmcore.node.image_sources import find_image_source, image_test
from swarmcore.node.listing import Listing
from swarmcore.node.node import Node
from swarmcore.node.overcommit import MOST_OVERCOMMIT, OVERCOMMIT_LABEL, read_overcommit
from swarmcore.node.reservation import Reservation
from swarmcore.node.spanning import Spanning
from swarmcore.node.ties import is_spanning, is_swarm_manager

__all__ = [
    "MOST_OVERCOMMIT",
    "OVERCOMMIT_LABEL",
    "Listing",
    "Node",
    "Reservation",
    "Spanning",
    "count_failed_pulls",
    "find_image_source",
    "image_test",
    "is_spanning",
    "is_swarm_manager",
    "read_overcommit",
]
