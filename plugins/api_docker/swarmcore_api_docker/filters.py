"""Networks and volumes in a list: their shown names, and the filters that both kinds have.

Values of one filter are alternatives, labels must all hold, as in the engine; ``node`` is
classic's addition.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swarmcore.filters import Filters
from swarmcore.node import Node, is_spanning
from swarmcore_api_docker.yielding import passing


@dataclass(frozen=True, slots=True)
class Item:
    """One network or volume.

    Attributes:
        document: the engine's object.
        nodes: that have it; several for what spans engines.
        used: a container uses it.
        builtin: it cannot be removed.
        is_shared: its name alone is not enough.
        former_ids: ids that it had on other nodes.
    """

    document: Mapping[str, Any]
    nodes: tuple[Node, ...]
    used: bool = False
    builtin: bool = False
    is_shared: bool = False
    former_ids: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its engine calls it."""
        return str(self.document.get("Name") or "")

    @property
    def shown(self) -> str:
        """Its name as lists show it: ``node/name`` where the name alone is not enough."""
        if self.is_shared:
            return f"{self.nodes[0].name}/{self.name}"
        return self.name

    def show(self) -> dict[str, Any]:
        """The object of the list."""
        return {**self.document, "Name": self.shown}


Test = Callable[[Item], bool]
Compiler = Callable[[Filters], Test]


async def list_items(
    items: Sequence[Item],
    filters: Filters,
    compilers: Mapping[str, Compiler],
    *,
    classic: bool = False,
) -> list[dict[str, Any]]:
    """The objects of the items that are on a node that answers and pass every filter.

    Args:
        items: all there are; those of nodes that do not answer keep their names.
        filters: the client's.
        compilers: of the keys that this kind has.
        classic: all that is one node's is called ``node/name``, as in Swarm classic.

    Raises:
        BadRequest: an unknown key, or a value that its key cannot have.
        BadValue: the same where an engine answers 500.
    """
    filters.refuse_unknown(compilers)
    tests = [compilers[key](filters) for key in filters]
    # One that spans engines is called by its name alone, unless another one that does has it, too.
    counts = Counter(item.name for item in items)
    spanning = Counter(item.name for item in items if is_spanning(item.document))

    def is_shared(item: Item) -> bool:
        if is_spanning(item.document):
            return spanning[item.name] > 1
        return classic or counts[item.name] > 1

    named = (replace(item, is_shared=is_shared(item)) for item in items)
    answering = (item for item in named if any(node.health for node in item.nodes))
    passed = await passing(answering, lambda item: all(test(item) for test in tests))
    return [item.show() for item in passed]


def by_field(key: str, field: str) -> Compiler:
    """A field that is equal to a value."""

    def compile_field(filters: Filters) -> Test:
        wanted = filters.equal(key)
        return lambda item: wanted(str(item.document.get(field)))

    return compile_field


def by_name(filters: Filters) -> Test:
    """The engine's name, or the one that is shown."""
    found = filters.matching("name")
    return lambda item: found(item.name) or found(item.shown)


def by_label(filters: Filters) -> Test:
    """All labels."""
    holds = filters.labelled("label")
    return lambda item: holds(item.document.get("Labels") or {})


def by_node(filters: Filters) -> Test:
    """Classic's addition."""
    wanted = set(filters.values("node"))
    return lambda item: not wanted or any({node.name, node.id} & wanted for node in item.nodes)
