"""What an engine shares with others: a swarm, a cluster store, drivers of volumes.  Pure.

Networks and volumes of a scope other than ``local`` belong to all engines that share what keeps
them; two engines share it when their ties have a word in common.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarmcore.json_values import as_list, as_object, as_objects

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ties:
    """The ties of one engine.

    Attributes:
        swarm: ids of the swarm's managers, and of the swarm itself where the engine is a manager:
            workers do not know that one.
        store: the members of the cluster store, each with the path below which engines write.
        drivers: volume drivers, ``local`` excepted.
    """

    swarm: frozenset[str] = _NONE
    store: frozenset[str] = _NONE
    drivers: frozenset[str] = _NONE

    def of_network(self, document: Mapping[str, Any]) -> frozenset[str]:
        """Those that make an engine reach the network of *document*."""
        return self.swarm if document.get("Scope") == "swarm" else self.store

    def of_volume(self, document: Mapping[str, Any]) -> frozenset[str]:
        """Those that make an engine reach the volume of *document*."""
        return self.drivers & {str(document.get("Driver"))}


def is_spanning(document: Mapping[str, Any]) -> bool:
    """Whether a network or volume spans engines; a local one is another on each of them."""
    return str(document.get("Scope") or "local") != "local"


def read_ties(info: Mapping[str, Any], volumes: Iterable[Mapping[str, Any]]) -> Ties:
    """The ties of an engine.

    Args:
        info: its ``GET /info``.
        volumes: its objects in ``GET /volumes``: ``info`` lacks a plugin that was not used yet.
    """
    told = as_list(as_object(info.get("Plugins")).get("Volume"))
    used = (volume.get("Driver") for volume in volumes)
    drivers = frozenset(str(driver) for driver in (*told, *used) if driver)
    return Ties(_read_swarm(info), _read_store(info), drivers - {"local"})


def is_swarm_manager(info: Mapping[str, Any]) -> bool:
    """Whether an engine may change the swarm that it is in.

    Args:
        info: its ``GET /info``.
    """
    return bool(as_object(info.get("Swarm")).get("ControlAvailable"))


def swarm_node_id(info: Mapping[str, Any]) -> str:
    """What the swarm that an engine is in calls it; empty outside.

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
    """``etcd://a:2379,b:2379/docker``: engines may name some of a store's members only."""
    scheme, mark, rest = str(info.get("ClusterStore") or "").partition("://")
    if not mark:
        return _NONE
    members, _, path = rest.partition("/")
    return frozenset(f"{scheme}://{member}/{path}" for member in members.split(",") if member)
