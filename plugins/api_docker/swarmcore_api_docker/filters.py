"""List filters that several kinds of objects share, and the lists of networks and volumes.

As in an engine, an object passes a filter if one of the filter's values matches; for labels, all
values must match.  The filter ``node`` is an addition of Swarm classic.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swarmcore.list_filters import Filters
from swarmcore.node import Node, is_spanning
from swarmcore_api_docker.yielding import select_items


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One network or volume in a list.

    Attributes:
        document: the engine's JSON object.
        nodes: the nodes that have it; several if the object spans engines.
        used: whether a container uses it.
        builtin: whether it is predefined and cannot be removed.
        is_ambiguous: whether several objects have its name.
        former_ids: ids that it had on other nodes.
    """

    document: Mapping[str, Any]
    nodes: tuple[Node, ...]
    used: bool = False
    builtin: bool = False
    is_ambiguous: bool = False
    former_ids: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name on its engine."""
        return str(self.document.get("Name") or "")

    @property
    def shown(self) -> str:
        """The name in lists: ``node/name`` if the name alone is ambiguous."""
        if self.is_ambiguous:
            return f"{self.nodes[0].name}/{self.name}"
        return self.name

    def show(self) -> dict[str, Any]:
        """Return the JSON object for the list."""
        return {**self.document, "Name": self.shown}


#: Whether an object is listed.
Test = Callable[[ListedObject], bool]
#: Makes the test of one filter.
Compiler = Callable[[Filters], Test]


async def list_objects(
    items: Sequence[ListedObject],
    filters: Filters,
    compilers: Mapping[str, Compiler],
    *,
    classic: bool = False,
) -> list[dict[str, Any]]:
    """Return the JSON objects that are on a node that answers and pass every filter.

    Args:
        items: all networks or all volumes.  Objects of nodes that do not answer are not listed, but
            can make names ambiguous.
        filters: the client's filters.
        compilers: filter -> compiler, for the filters of this kind of object.
        classic: show every object of one node as ``node/name``, as Swarm classic did.

    Raises:
        BadRequest: an unknown filter, or one with an invalid value.
        BadValue: an invalid value for which an engine answers 500.
    """
    filters.refuse_unknown(compilers)
    tests = [compilers[key](filters) for key in filters]
    # The name of an object that spans engines is ambiguous only when another such object has it.
    counts = Counter(item.name for item in items)
    spanning = Counter(item.name for item in items if is_spanning(item.document))

    def is_ambiguous(item: ListedObject) -> bool:
        if is_spanning(item.document):
            return spanning[item.name] > 1
        return classic or counts[item.name] > 1

    named = (replace(item, is_ambiguous=is_ambiguous(item)) for item in items)
    answering = (item for item in named if any(node.health for node in item.nodes))
    passed = await select_items(answering, lambda item: all(test(item) for test in tests))
    return [item.show() for item in passed]


def by_field(key: str, field: str) -> Compiler:
    """Return the compiler of the filter *key*, which compares the object's *field*."""

    def compile_field(filters: Filters) -> Test:
        wanted = filters.equal(key)
        return lambda item: wanted(str(item.document.get(field)))

    return compile_field


def by_name(filters: Filters) -> Test:
    """Compile the filter ``name``: a pattern occurs in the name, or in the name of the list."""
    found = filters.matching("name")
    return lambda item: found(item.name) or found(item.shown)


def by_label(filters: Filters) -> Test:
    """Compile the filter ``label``."""
    holds = filters.labelled("label")
    return lambda item: holds(item.document.get("Labels") or {})


def by_node(filters: Filters) -> Test:
    """Compile the filter ``node``."""
    return lambda item: any(passes_node_filter(node, filters) for node in item.nodes)


def passes_node_filter(node: Node, filters: Filters) -> bool:
    """Return whether the filter ``node`` has the node's name or id, or has no value."""
    wanted = filters.values("node")
    return not wanted or node.name in wanted or node.id in wanted
