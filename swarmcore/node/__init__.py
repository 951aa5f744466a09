"""A node: what the scheduler and plugins see of one engine."""

from swarmcore.node.belongings import PREDEFINED_NETWORKS, Thing, things_of
from swarmcore.node.failed_pulls import count_failed_pulls
from swarmcore.node.freshness import made_seconds, read_events
from swarmcore.node.image_sources import find_image_source, image_test
from swarmcore.node.listing import Listing
from swarmcore.node.node import Node
from swarmcore.node.overcommit import MOST_OVERCOMMIT, OVERCOMMIT_LABEL, read_overcommit
from swarmcore.node.reservation import Reservation
from swarmcore.node.spanning import Spanning
from swarmcore.node.ties import is_spanning, is_swarm_manager, swarm_node_id

__all__ = [
    "MOST_OVERCOMMIT",
    "OVERCOMMIT_LABEL",
    "PREDEFINED_NETWORKS",
    "Listing",
    "Node",
    "Reservation",
    "Spanning",
    "Thing",
    "count_failed_pulls",
    "find_image_source",
    "image_test",
    "is_spanning",
    "is_swarm_manager",
    "made_seconds",
    "read_events",
    "read_overcommit",
    "swarm_node_id",
    "things_of",
]
