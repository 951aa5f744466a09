"""``--strategy quiet``: the node with the fewest running containers."""

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node


@hookimpl
def swarmcore_strategy() -> "QuietStrategy":
    return QuietStrategy()


class QuietStrategy:
    name = "quiet"

    def weigh(self, config: ContainerConfig, node: Node) -> list[float]:
        return [-sum(container.running for container in node.containers.values())]
