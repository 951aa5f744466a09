"""Prefers the node that is used least: ``--strategy spread``, the default."""

from swarmcore import hookimpl
from swarmcore.protocols import Aspect, ContainerConfig, Node
from swarmcore.weights import crowd, health_weight, usage, usage_key


@hookimpl
def swarmcore_strategy() -> "Spread":
    return Spread()


class Spread:
    """Prefers the smaller share of claimed CPU and memory, then fewer containers.

    A recent connection failure outweighs both, as in Swarm classic.
    """

    name = "spread"
    reads = (Aspect.MACHINE, Aspect.HEALTH, Aspect.CONTAINERS)

    def key(self, config: ContainerConfig) -> tuple[int, int] | None:
        """Equal for configs with the same claim on CPU and memory."""
        return usage_key(config)

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float, float]:
        """Higher for nodes that are used less."""
        return health_weight(node) - usage(config, node), -crowd(config, node)
