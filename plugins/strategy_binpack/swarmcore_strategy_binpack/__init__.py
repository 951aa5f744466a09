"""Prefers the fullest node that still fits: ``--strategy binpack``."""

from swarmcore import hookimpl
from swarmcore.protocols import Aspect, ContainerConfig, Node
from swarmcore.weights import crowd, health_weight, usage, usage_key


@hookimpl
def swarmcore_strategy() -> "Binpack":
    return Binpack()


class Binpack:
    """Prefers the larger share of claimed CPU and memory, then more containers.

    A recent connection failure outweighs both, as in Swarm classic.
    """

    name = "binpack"
    reads = (Aspect.MACHINE, Aspect.HEALTH, Aspect.CONTAINERS)

    def key(self, config: ContainerConfig) -> tuple[int, int] | None:
        """Equal for configs with the same claim on CPU and memory."""
        return usage_key(config)

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float, float]:
        """Higher for nodes that are used more."""
        return health_weight(node) + usage(config, node), crowd(config, node)
