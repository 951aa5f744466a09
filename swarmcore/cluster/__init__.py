"""All engines together: who belongs, what is placed where, who has which name."""

from swarmcore.cluster.cluster import Cluster
from swarmcore.cluster.node_book import NodeBook
from swarmcore.cluster.running import open_cluster
from swarmcore.cluster.settings import ClusterSettings

__all__ = [
    "Cluster",
    "ClusterSettings",
    "NodeBook",
    "open_cluster",
]
