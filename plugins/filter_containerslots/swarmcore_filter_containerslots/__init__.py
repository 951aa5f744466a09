"""Nodes that hold fewer containers than their label allows: ``--filter containerslots``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "ContainerSlotsFilter":
    return ContainerSlotsFilter()


class ContainerSlotsFilter:
    """Refuses nodes that are full by their engine's label ``containerslots=N``.

    Containers in every state take a slot, and so do placements that are not containers yet, so
    that creates at the same moment do not share the last one.
    """

    name = "containerslots"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for a container; none for a build, which takes no slot."""
        if config.image:
            yield Rule("container slots", _check)


def _check(node: Node) -> str | None:
    slots = node.slots
    if slots is None or node.taken_slots < slots:
        return None
    return f"{node.taken_slots} of {slots} taken"
