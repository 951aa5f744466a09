"""The node that is used least: ``--strategy spread``, the default."""

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node
from swarmcore.weights import crowd, health_weight, usage


@hookimpl
def swarmcore_strategy() -> "Spread":
    return Spread()


class Spread:
    """Prefers the smaller share of claimed CPU and memory, then the fewer containers.

    A recent connection failure outweighs both, as in classic Swarm.
    """

    name = "spread"

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float, float]:
        """The higher, the less the node is used."""
        return health_weight(node) - usage(config, node), -crowd(config, node)
