"""The fullest node that still fits: ``--strategy binpack``."""

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node
from swarmcore.weights import crowd, health_weight, usage


@hookimpl
def swarmcore_strategy() -> "Binpack":
    return Binpack()


class Binpack:
    """Prefers the larger share of claimed CPU and memory, then the more containers.

    A recent connection failure outweighs both, as in classic Swarm.
    """

    name = "binpack"

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float, float]:
        """The higher, the more the node is used."""
        return health_weight(node) + usage(config, node), crowd(config, node)
