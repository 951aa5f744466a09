"""Networks and volumes in a list: their shown names, and the filters that both kinds have.

Pure.  Values of one filter are alternatives, labels must all hold, as in the engine; ``node`` is
classic's addition.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.node import Node, is_spanning
from swarmcore_api_docker.container_filters import matcher

_TRUE, _FALSE = frozenset({"1", "t", "true"}), frozenset({"0", "f", "false"})


@dataclass(frozen=True, slots=True)
class Item:
    """One network or volume.

    Attributes:
        document: the engine's object.
        nodes: that have it; several for what spans engines.
        used: a container uses it.
        builtin: it cannot be removed.
        is_shared: its name alone is not enough.
    """

    document: Mapping[str, Any]
    nodes: tuple[Node, ...]
    used: bool = False
    builtin: bool = False
    is_shared: bool = False

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
Compiler = Callable[[Sequence[str]], Test]


def list_items(
    items: Sequence[Item],
    filters: Mapping[str, Sequence[str]],
    own: Mapping[str, Compiler] | None = None,
) -> list[dict[str, Any]]:
    """The objects of the items that are on a node that answers and pass every filter.

    Args:
        items: all there are; those of nodes that do not answer keep their names.
        filters: key -> values, as the client sent them.
        own: compilers of the keys that this kind has beyond the common ones.

    Raises:
        BadRequest: an unknown key, or a value that its key cannot have.
    """
    tests = _compile(filters, {**_COMMON, **(own or {})})
    # One that spans engines is called by its name alone, unless another one that does has it, too.
    counts = Counter(item.name for item in items)
    spanning = Counter(item.name for item in items if is_spanning(item.document))
    named = (
        replace(item, is_shared=(spanning if is_spanning(item.document) else counts)[item.name] > 1)
        for item in items
    )
    return [
        item.show()
        for item in named
        if any(node.health for node in item.nodes) and all(test(item) for test in tests)
    ]


def _compile(
    filters: Mapping[str, Sequence[str]], compilers: Mapping[str, Compiler]
) -> Sequence[Test]:
    tests = []
    for key, values in filters.items():
        if key not in compilers:
            raise BadRequest(f"invalid filter '{key}'")
        if values:
            tests.append(compilers[key](values))
    return tests


def by_field(field: str) -> Compiler:
    """Equal to one of the values."""
    return lambda values: lambda item: str(item.document.get(field)) in values


def _by_name(values: Sequence[str]) -> Test:
    found = matcher(values)
    return lambda item: found(item.name) or found(item.shown)


def _by_label(values: Sequence[str]) -> Test:
    wanted = [value.partition("=") for value in values]

    def test(item: Item) -> bool:
        labels = item.document.get("Labels") or {}
        return all(
            key in labels and (not equals or labels[key] == value) for key, equals, value in wanted
        )

    return test


def _by_node(values: Sequence[str]) -> Test:
    wanted = set(values)
    return lambda item: any({node.name, node.id} & wanted for node in item.nodes)


def _by_use(values: Sequence[str]) -> Test:
    wanted = set()
    for value in values:
        if value.lower() not in _TRUE | _FALSE:
            raise BadRequest(
                'invalid value for filter \'dangling\', must be "true" (or "1"), or'
                ' "false" (or "0")'
            )
        wanted.add(value.lower() in _TRUE)
    return lambda item: (not item.used and not item.builtin) in wanted


_COMMON: Mapping[str, Compiler] = {
    "dangling": _by_use,
    "driver": by_field("Driver"),
    "label": _by_label,
    "name": _by_name,
    "node": _by_node,
}
