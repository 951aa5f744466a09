"""The cluster: membership, placement, container names and events over all engines."""

from swarmcore.cluster.cluster import Cluster, open_cluster
from swarmcore.cluster.node_settings import NodeSettingsStore
from swarmcore.cluster.settings import ClusterSettings

__all__ = [
    "Cluster",
    "ClusterSettings",
    "NodeSettingsStore",
    "open_cluster",
]
