"""Networks and volumes that span engines: which engines list them and which can use them.

Objects with a scope other than ``local`` belong to all engines that share a swarm, a cluster store
or a volume driver.  Engines with a common *tie* share such objects.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from swarmcore.json_values import as_list, as_object, as_objects

_Document = Mapping[str, Any]


# ---- what engines share

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ties:
    """What one engine shares with others.

    Attributes:
        swarm: node ids of the swarm's managers; on a manager also the id of the swarm, which
            workers do not know.
        store: the members of the cluster store, each with the path that engines use in it.
        drivers: volume drivers other than ``local``.
    """

    swarm: frozenset[str] = _NONE
    store: frozenset[str] = _NONE
    drivers: frozenset[str] = _NONE

    def of_network(self, document: Mapping[str, Any]) -> frozenset[str]:
        """The ties through which an engine can use the network of *document*."""
        return self.swarm if document.get("Scope") == "swarm" else self.store

    def of_volume(self, document: Mapping[str, Any]) -> frozenset[str]:
        """The ties through which an engine can use the volume of *document*."""
        return self.drivers & {str(document.get("Driver"))}


def is_spanning(document: Mapping[str, Any]) -> bool:
    """Whether a network or volume spans engines, that is, its scope is not ``local``."""
    return str(document.get("Scope") or "local") != "local"


def read_ties(info: Mapping[str, Any], volumes: Iterable[Mapping[str, Any]]) -> Ties:
    """Determine the ties of an engine.

    Args:
        info: its ``GET /info``.
        volumes: its objects in ``GET /volumes``, as ``info`` lacks plugins never used so far.
    """
    told = as_list(as_object(info.get("Plugins")).get("Volume"))
    used = (volume.get("Driver") for volume in volumes)
    drivers = frozenset(str(driver) for driver in (*told, *used) if driver)
    return Ties(_read_swarm(info), _read_store(info), drivers - {"local"})


def is_swarm_manager(info: Mapping[str, Any]) -> bool:
    """Whether an engine is a manager of its swarm.

    Args:
        info: its ``GET /info``.
    """
    return bool(as_object(info.get("Swarm")).get("ControlAvailable"))


def swarm_node_id(info: Mapping[str, Any]) -> str:
    """The id of an engine in its swarm; empty if it is in no swarm.

    Args:
        info: its ``GET /info``.
    """
    return str(as_object(info.get("Swarm")).get("NodeID") or "")


def _read_swarm(info: Mapping[str, Any]) -> frozenset[str]:
    swarm = as_object(info.get("Swarm"))
    if swarm.get("LocalNodeState") != "active":
        return _NONE
    managers = [each.get("NodeID") for each in as_objects(swarm.get("RemoteManagers"))]
    cluster = as_object(swarm.get("Cluster")).get("ID")
    return frozenset(str(id) for id in (*managers, cluster) if id)


def _read_store(info: Mapping[str, Any]) -> frozenset[str]:
    """``etcd://a:2379,b:2379/docker``: engines may name only some members of a store."""
    scheme, mark, rest = str(info.get("ClusterStore") or "").partition("://")
    if not mark:
        return _NONE
    members, _, path = rest.partition("/")
    return frozenset(f"{scheme}://{member}/{path}" for member in members.split(",") if member)


# ---- what engines list


class ListingNode(Protocol):
    """The part of a node that lists networks and volumes."""

    @property
    def id(self) -> str:
        """The node's id."""
        ...

    @property
    def name(self) -> str:
        """Host name of the engine; empty while unknown."""
        ...

    @property
    def networks(self) -> Mapping[str, _Document]:
        """Network id -> its object in ``GET /networks``."""
        ...

    @property
    def volumes(self) -> Mapping[str, _Document]:
        """Volume name -> its object in ``GET /volumes``."""
        ...

    @property
    def ties(self) -> Ties:
        """What the engine shares with others."""
        ...


@dataclass(slots=True)
class Listed:
    """One network or volume: the nodes that list it, and the ties through which others use it.

    Attributes:
        documents: node -> its object.
    """

    documents: dict[ListingNode, _Document] = field(default_factory=dict)
    _ties: Counter[frozenset[str]] = field(default_factory=Counter)

    def put(self, node: ListingNode, document: _Document, ties: frozenset[str]) -> None:
        """Add a node that lists the object."""
        self.documents[node] = document
        self._ties[ties] += 1

    def drop(self, node: ListingNode, ties: frozenset[str]) -> None:
        """Undo ``put``."""
        del self.documents[node]
        self._ties[ties] -= 1
        if not self._ties[ties]:
            del self._ties[ties]

    @property
    def document(self) -> _Document:
        """The object as listed by the node that has listed it longest."""
        return next(iter(self.documents.values()))

    def is_reached_by(self, ties: frozenset[str]) -> bool:
        """Whether an engine with these ties can use it."""
        return any(not ties.isdisjoint(known) for known in self._ties)


@dataclass(slots=True)
class Spanning:
    """All spanning objects of one cluster; shared by its nodes."""

    _networks: dict[str, Listed] = field(default_factory=dict)
    #: Name of a network -> ids, each with the number of nodes that list it.
    _ids: dict[str, Counter[str]] = field(default_factory=dict)
    _volumes: dict[str, Listed] = field(default_factory=dict)

    # ---- changing: called by the node that lists

    def put(self, node: ListingNode) -> None:
        """Add the objects that *node* lists."""
        for id, document in node.networks.items():
            if is_spanning(document):
                ties = node.ties.of_network(document)
                self._networks.setdefault(id, Listed()).put(node, document, ties)
                self._ids.setdefault(str(document.get("Name")), Counter())[id] += 1
        for name, document in node.volumes.items():
            if is_spanning(document):
                ties = node.ties.of_volume(document)
                self._volumes.setdefault(name, Listed()).put(node, document, ties)

    def drop(self, node: ListingNode) -> None:
        """Remove the objects that *node* lists; its lists must not have changed since ``put``."""
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

    # ---- queries

    def networks_of(self, node: ListingNode) -> Iterator[tuple[str, Listed]]:
        """The networks that *node* can use, with their ids."""
        for id, listed in self._networks.items():
            if _reaches_network(node, listed):
                yield id, listed

    def find_network(self, node: ListingNode, text: str) -> _Document | None:
        """The network with id or name *text* that *node* can use."""
        for id in (text, *self._ids.get(text, ())):
            listed = self._networks.get(id)
            if listed is not None and _reaches_network(node, listed):
                return listed.document
        return None

    def reaches_volume(self, node: ListingNode, name: str) -> bool:
        """Whether *node* can use a spanning volume called *name*."""
        listed = self._volumes.get(name)
        return listed is not None and listed.is_reached_by(node.ties.drivers)


def _reaches_network(node: ListingNode, listed: Listed) -> bool:
    return node in listed.documents or listed.is_reached_by(node.ties.of_network(listed.document))


def _drop(all_listed: dict[str, Listed], key: str, node: ListingNode, ties: frozenset[str]) -> None:
    listed = all_listed[key]
    listed.drop(node, ties)
    if not listed.documents:
        del all_listed[key]
