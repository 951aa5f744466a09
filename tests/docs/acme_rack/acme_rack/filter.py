"""``--filter rack``: a container labelled ``acme.rack=b`` runs in rack b and nowhere else."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "RackFilter":
    return RackFilter()


class RackFilter:
    name = "rack"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        wanted = config.labels.get("acme.rack")
        if wanted is None:
            return

        def check(node: Node) -> str | None:
            rack = node.labels.get("rack", "no rack")
            return None if rack == wanted else f"is in {rack}"

        yield Rule(f"rack {wanted}", check)
