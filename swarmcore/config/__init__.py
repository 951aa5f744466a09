"""What a client asked to create, read once: instructions, claims, references, needs."""

from swarmcore.config.config import (
    SWARM_ID,
    ContainerConfig,
)
from swarmcore.config.gates import Need

__all__ = [
    "SWARM_ID",
    "ContainerConfig",
    "Need",
]
