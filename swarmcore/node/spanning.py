"""The networks and volumes that span engines, and which nodes reach them.

An engine does not list all that it reaches: the worker of a swarm shows a network only while a
container of its own is on it, and every other list is as old as its last reading.  What one node
lists is therefore reached by every node that has the tie to it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swarmcore.node.ties import is_spanning

if TYPE_CHECKING:
    from swarmcore.node.listing import Listing

_Document = Mapping[str, Any]


@dataclass(slots=True)
class Listed:
    """One network or volume: the nodes that list it, and the ties by which others reach it.

    Attributes:
        documents: node -> its object.
    """

    documents: "dict[Listing, _Document]" = field(default_factory=dict)
    _ties: Counter[frozenset[str]] = field(default_factory=Counter)

    def put(self, node: "Listing", document: _Document, ties: frozenset[str]) -> None:
        """*node* lists it."""
        self.documents[node] = document
        self._ties[ties] += 1

    def drop(self, node: "Listing", ties: frozenset[str]) -> None:
        """Undo ``put``."""
        del self.documents[node]
        self._ties[ties] -= 1
        if not self._ties[ties]:
            del self._ties[ties]

    @property
    def document(self) -> _Document:
        """The object of the node that has listed it longest."""
        return next(iter(self.documents.values()))

    def is_reached_by(self, ties: frozenset[str]) -> bool:
        """Whether a node of these ties reaches it."""
        return any(not ties.isdisjoint(known) for known in self._ties)


@dataclass(slots=True)
class Spanning:
    """What spans the engines of one cluster; shared by all its nodes, each of which lists."""

    _networks: dict[str, Listed] = field(default_factory=dict)
    #: Name of networks -> their ids, each with the number of nodes that list it.
    _ids: dict[str, Counter[str]] = field(default_factory=dict)
    _volumes: dict[str, Listed] = field(default_factory=dict)

    # ---- changing: for the node that lists

    def put(self, node: "Listing") -> None:
        """Learn what *node* lists."""
        for id, document in node.networks.items():
            if is_spanning(document):
                ties = node.ties.of_network(document)
                self._networks.setdefault(id, Listed()).put(node, document, ties)
                self._ids.setdefault(str(document.get("Name")), Counter())[id] += 1
        for name, document in node.volumes.items():
            if is_spanning(document):
                ties = node.ties.of_volume(document)
                self._volumes.setdefault(name, Listed()).put(node, document, ties)

    def drop(self, node: "Listing") -> None:
        """Forget what *node* lists; it lists the same as when it was ``put``."""
        for id, document in node.networks.items():
            if is_spanning(document):
                _drop(self._networks, id, node, node.ties.of_network(document))
                self._drop_name(str(document.get("Name")), id)
        for name, document in node.volumes.items():
            if is_spanning(document):
                _drop(self._volumes, name, node, node.ties.of_volume(document))

    def _drop_name(self, name: str, id: str) -> None:
        ids = self._ids[name]
        ids[id] -= 1
        if not ids[id]:
            del ids[id]
        if not ids:
            del self._ids[name]

    # ---- asking

    def networks_of(self, node: "Listing") -> Iterator[tuple[str, Listed]]:
        """The networks that *node* reaches, by id."""
        for id, listed in self._networks.items():
            if _reaches_network(node, listed):
                yield id, listed

    def find_network(self, node: "Listing", text: str) -> _Document | None:
        """The network that *node* reaches whose id or name is *text*."""
        for id in (text, *self._ids.get(text, ())):
            listed = self._networks.get(id)
            if listed is not None and _reaches_network(node, listed):
                return listed.document
        return None

    def reaches_volume(self, node: "Listing", name: str) -> bool:
        """Whether *node* reaches a volume called *name*."""
        listed = self._volumes.get(name)
        return listed is not None and listed.is_reached_by(node.ties.drivers)


def _reaches_network(node: "Listing", listed: Listed) -> bool:
    return node in listed.documents or listed.is_reached_by(node.ties.of_network(listed.document))


def _drop(all_listed: dict[str, Listed], key: str, node: "Listing", ties: frozenset[str]) -> None:
    listed = all_listed[key]
    listed.drop(node, ties)
    if not listed.documents:
        del all_listed[key]
