"""Refuses nodes that do not answer: ``--filter health``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import Aspect, ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "HealthFilter":
    return HealthFilter()


class HealthFilter:
    """Refuses nodes that are not healthy."""

    name = "health"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for every create."""
        yield Rule("unhealthy", _check, key="unhealthy", reads=(Aspect.HEALTH,))


def _check(node: Node) -> str | None:
    return None if node.health > 0 else ""
