"""All engines together: who belongs, what is placed where, who has which name."""

from swarmcore.cluster.cluster import (
    Cluster,
    ClusterSettings,
    open_cluster,
)

__all__ = [
    "Cluster",
    "ClusterSettings",
    "open_cluster",
]
