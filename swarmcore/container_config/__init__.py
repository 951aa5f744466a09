"""The body of ``POST /containers/create``: expressions, claims, references, required versions."""

from swarmcore.container_config.config import (
    SWARM_ID,
    ContainerConfig,
)
from swarmcore.container_config.version_gates import Need

__all__ = [
    "SWARM_ID",
    "ContainerConfig",
    "Need",
]
