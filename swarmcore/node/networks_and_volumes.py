"""The networks and volumes of one node: which exist, which are used, and which may be moved.

A local object that nothing uses is *loose*: it has no endpoint and no content, so it can be created
again on the node of the first container that needs it.  During that move it is *leaving*: decisions
treat it as moved at once, and it is shown on one of the two nodes only.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from swarmcore.container_facts import Thing
from swarmcore.json_values import as_object, as_text
from swarmcore.node.spanning import is_spanning
from swarmcore.node.volume_history import VolumeHistory

#: Networks that every engine has.
PREDEFINED_NETWORKS = frozenset({"bridge", "host", "none"})

Document = Mapping[str, Any]

#: Labels by which a client requested a place for an object.
_PLACED = frozenset(
    f"com.docker.swarm.{family}" for family in ("constraints", "affinities", "whitelists")
)
#: Types of local volumes whose content is on a network file system.
_NETWORKED = frozenset({"nfs", "nfs4", "cifs"})
#: Types of local volumes whose content is not on the node's disk.
_ELSEWHERE = _NETWORKED | {"tmpfs"}


@dataclass(slots=True)
class NodeObjects:
    """The networks and volumes of one node; changed by its engine and by relocation only.

    Attributes:
        networks: network id -> its object; hidden ones are left out.
        volumes: volume name -> its object; hidden ones are left out.
        volume_history: which volumes have never been used.
    """

    networks: Document = field(default_factory=dict)
    volumes: Document = field(default_factory=dict)
    volume_history: VolumeHistory = field(default_factory=VolumeHistory)
    _listed_networks: Document = field(default_factory=dict)
    _listed_volumes: Document = field(default_factory=dict)
    _hidden: set[Thing] = field(default_factory=set)
    _kept: set[Thing] = field(default_factory=set)
    _leaving: dict[Thing, set[str]] = field(default_factory=dict)
    _uses: Counter[Thing] = field(default_factory=Counter)

    # ---- existing objects

    def list_networks(self, networks: Document) -> None:
        """Replace the networks by the engine's list."""
        self._listed_networks = networks
        self._kept = {each for each in self._kept if each[0] != "network"}
        self._show()

    def list_volumes(self, volumes: Document) -> None:
        """Replace the volumes by the engine's list."""
        self._listed_volumes = volumes
        self._kept = {each for each in self._kept if each[0] != "volume"}
        self.volume_history.note_list(volumes)
        self._show()

    def hide(self, thing: Thing) -> None:
        """Hide an object: another node has it now."""
        self._hidden.add(thing)
        self._show()

    def show(self, thing: Thing) -> None:
        """Show a hidden object again, if the engine has it."""
        self._hidden.discard(thing)
        self._show()

    def _show(self) -> None:
        self.networks, self.volumes = self._listed_networks, self._listed_volumes
        if self._hidden:
            self.networks = {
                id: network
                for id, network in self.networks.items()
                if is_spanning(network) or ("network", network.get("Name")) not in self._hidden
            }
            self.volumes = {
                name: volume
                for name, volume in self.volumes.items()
                if is_spanning(volume) or ("volume", name) not in self._hidden
            }

    # ---- objects in use

    def use(self, things: Iterable[Thing]) -> None:
        """Count a container or a reservation that uses *things*."""
        self._uses.update(things)

    def disuse(self, things: Iterable[Thing]) -> None:
        """Undo one ``use``."""
        for thing in things:
            self._uses[thing] -= 1
            if not self._uses[thing]:
                del self._uses[thing]

    def is_used(self, thing: Thing) -> bool:
        """Whether a container in any state, or a reservation, refers to *thing*."""
        return thing in self._uses

    # ---- objects that may be moved

    def keep(self, thing: Thing) -> None:
        """Do not move *thing* until the next list: its engine reported that it is in use."""
        self._kept.add(thing)

    def let_go(self, thing: Thing, reservation: str) -> None:
        """Mark *thing* as leaving, for a reservation on another node."""
        self._leaving.setdefault(thing, set()).add(reservation)

    def take_back(self, thing: Thing, reservation: str) -> None:
        """Undo ``let_go``."""
        left = self._leaving.get(thing, set())
        left.discard(reservation)
        if not left:
            self._leaving.pop(thing, None)

    def is_leaving(self, thing: Thing) -> bool:
        """Whether *thing* is reserved for another node."""
        return thing in self._leaving

    def is_loose_network(self, network: Document) -> bool:
        """Whether *network*, one of ``networks``, may be moved to another node."""
        name = str(network.get("Name"))
        return (
            can_be_recreated(network)
            and ("network", name) not in self._kept
            and not self.is_used(("network", name))
            and not self.is_used(("network", str(network.get("Id"))))
        )

    def is_loose_volume(self, name: str) -> bool:
        """Whether volume *name* may be moved to another node."""
        volume = self.volumes.get(name)
        return (
            volume is not None
            and volume.get("Driver") == "local"
            and not is_spanning(volume)
            and _has_no_device(volume)
            and not _is_placed(volume)
            and ("volume", name) not in self._kept
            and not self.is_used(("volume", name))
            and self.volume_history.is_unused(name)
        )

    @property
    def unused_count(self) -> int:
        """The number of local networks and volumes that no container uses."""
        networks = (
            each
            for each in self.networks.values()
            if each.get("Name") not in PREDEFINED_NETWORKS
            and not self.is_used(("network", str(each.get("Name"))))
            and not self.is_used(("network", str(each.get("Id"))))
        )
        volumes = (name for name in self.volumes if not self.is_used(("volume", name)))
        return sum(1 for _ in networks) + sum(1 for _ in volumes)


def can_be_recreated(network: Document) -> bool:
    """Whether a network of one engine may be created again on another: its user did not place it,
    and it does not depend on other objects."""
    return (
        str(network.get("Name")) not in PREDEFINED_NETWORKS
        and not is_spanning(network)
        and not network.get("Ingress")
        and not network.get("ConfigOnly")
        and not as_object(network.get("ConfigFrom")).get("Network")
        and not _is_placed(network)
    )


def _is_placed(document: Document) -> bool:
    return not _PLACED.isdisjoint(as_object(document.get("Labels")))


def _has_no_device(volume: Document) -> bool:
    """Whether the volume uses no device of its node's disk; network file systems do not count."""
    options = as_object(volume.get("Options"))
    return not options.get("device") or as_text(options.get("type")) in _ELSEWHERE


def is_on_network(volume: Document) -> bool:
    """Whether the content of a volume is on a network file system, not on its node."""
    options = as_object(volume.get("Options"))
    return bool(options.get("device")) and as_text(options.get("type")) in _NETWORKED
