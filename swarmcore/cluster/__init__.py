"""All engines together: who belongs, what is placed where, who has which name."""

from swarmcore.cluster.cluster import (
    Cluster,
    ClusterSettings,
    open_cluster,
)
from swarmcore.cluster.node_book import NodeBook

__all__ = [
    "Cluster",
    "ClusterSettings",
    "NodeBook",
    "open_cluster",
]
