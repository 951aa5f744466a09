"""Nodes: the state of one engine as the scheduler and plugins see it."""

from swarmcore.container_facts import Thing
from swarmcore.node.allocation import (
    MOST_OVERCOMMIT,
    OVERCOMMIT_LABEL,
    Reservation,
    read_overcommit,
)
from swarmcore.node.changes import ALL_ASPECTS, Aspect, ChangeLog, Watched
from swarmcore.node.image_sources import find_image_source, image_test
from swarmcore.node.networks_and_volumes import (
    PREDEFINED_NETWORKS,
    can_be_recreated,
    is_on_network,
)
from swarmcore.node.node import Node
from swarmcore.node.revision import Revision
from swarmcore.node.spanning import (
    ListingNode,
    Spanning,
    is_spanning,
    is_swarm_manager,
    swarm_node_id,
)
from swarmcore.node.volume_history import made_seconds, read_events

__all__ = [
    "ALL_ASPECTS",
    "MOST_OVERCOMMIT",
    "OVERCOMMIT_LABEL",
    "PREDEFINED_NETWORKS",
    "Aspect",
    "ChangeLog",
    "ListingNode",
    "Node",
    "Reservation",
    "Revision",
    "Spanning",
    "Thing",
    "Watched",
    "can_be_recreated",
    "find_image_source",
    "image_test",
    "is_on_network",
    "is_spanning",
    "is_swarm_manager",
    "made_seconds",
    "read_events",
    "read_overcommit",
    "swarm_node_id",
]
