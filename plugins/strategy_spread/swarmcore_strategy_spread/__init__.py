"""Prefers the node that is used least: ``--strategy spread``, the default."""

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node
from swarmcore.weights import crowd, health_weight, usage


@hookimpl
def swarmcore_strategy() -> "Spread":
    return Spread()


class Spread:
    """Prefers the smaller share of claimed CPU and memory, then fewer containers.

    A recent connection failure outweighs both, as in Swarm classic.
    """

    name = "spread"

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float, float]:
        """Higher for nodes that are used less."""
        return health_weight(node) - usage(config, node), -crowd(config, node)
