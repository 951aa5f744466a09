"""Limits the containers of a node by its label: ``--filter containerslots``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import Aspect, ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "ContainerSlotsFilter":
    return ContainerSlotsFilter()


class ContainerSlotsFilter:
    """Refuses nodes with as many containers as their label ``containerslots=N`` allows.

    Containers in every state take a slot, and so do creates under way, so that concurrent creates
    do not share the last slot.
    """

    name = "containerslots"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """Return one rule for a container, and no rule for a build, which takes no slot."""
        if config.image:
            reads = (Aspect.MACHINE, Aspect.CONTAINERS)
            yield Rule("container slots", _check, key="slots", reads=reads)


def _check(node: Node) -> str | None:
    slots = node.slots
    if slots is None or node.taken_slots < slots:
        return None
    return f"{node.taken_slots} of {slots} taken"
