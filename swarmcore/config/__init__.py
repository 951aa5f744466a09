"""What a client asked to create, read once: instructions, claims, references."""

from swarmcore.config.config import (
    SWARM_ID,
    ContainerConfig,
)

__all__ = [
    "SWARM_ID",
    "ContainerConfig",
]
