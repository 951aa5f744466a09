"""Placements that no engine shows yet: the claim on a node, and the name in the index.

Each ends exactly once: when the engine shows the container, when the create failed, or by expiry.
One whose container may be on an engine that does not answer waits for that engine first.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from swarmcore.config import ContainerConfig
from swarmcore.config.references import find_network, without_node
from swarmcore.model import State
from swarmcore.names import NameIndex
from swarmcore.node import Node, Reservation, Thing

#: How long an engine that answers may take to show a container that it may have.
UNSEEN_SECONDS = 60.0


class Reservations:
    """All reservations of the cluster.

    Args:
        index: where the names are held.
        ended: told the id of the node on which one ended.
    """

    def __init__(
        self, index: NameIndex, ended: Callable[[str], None] = lambda node_id: None
    ) -> None:
        self._index = index
        self._ended = ended
        self._held: dict[str, tuple[Reservation, Node]] = {}
        #: Id -> whether its container, which no engine shows, is known to exist.
        self._unseen: dict[str, bool] = {}
        #: Id -> what other nodes let go of for it.
        self._leaving: dict[str, list[tuple[Node, Thing]]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, id: str) -> bool:
        return id in self._held

    def make(
        self,
        config: ContainerConfig,
        node: Node,
        leaving: Iterable[tuple[Node, Thing]] = (),
    ) -> Reservation:
        """Reserve name and claim of *config* on *node*; does not expire until told to.

        Args:
            config: what there will be.
            node: where.
            leaving: what other nodes let go of for it while the reservation lasts.
        """
        with node.without(config.replaces):
            claim = node.with_chosen_gpus(config.claim)
        reservation = Reservation(
            id=config.swarm_id,
            name=config.name,
            node_id=node.id,
            image=config.image,
            claim=claim,
            labels=config.labels,
            expires=math.inf,
            volumes=tuple(without_node(name, node) for name in config.volumes),
            networks=tuple(_network_words(config, node)),
        )
        for other, thing in leaving:
            other.belongings.let_go(thing, reservation.id)
            self._leaving.setdefault(reservation.id, []).append((other, thing))
        self._held[reservation.id] = (reservation, node)
        node.reserve(reservation)
        self._index.reserve(config.name, reservation.id)
        return reservation

    def end(self, id: str) -> None:
        """The reservation has done its work, or never will."""
        self._unseen.pop(id, None)
        for other, thing in self._leaving.pop(id, ()):
            other.belongings.take_back(thing, id)
        held = self._held.pop(id, None)
        if held is not None:
            reservation, node = held
            node.release(id)
            self._index.release(reservation.name, id)
            self._ended(node.id)

    def keep_until(self, id: str, expires: float) -> None:
        """Nobody works on it now; void it when *expires* (trio time) has passed."""
        held = self._held.get(id)
        if held is not None:
            reservation, node = held
            self._held[id] = (replace(reservation, expires=expires), node)

    def await_engine(self, id: str, now: float, *, exists: bool) -> None:
        """Nobody works on it now, and the engine may have its container: give it time to show that.

        Args:
            now: trio time.  The time begins anew while the engine is unhealthy.
            exists: the container is known to have been made.
        """
        if id in self._held:
            self._unseen[id] = exists
            self.keep_until(id, now + UNSEEN_SECONDS)

    def free_name(self, id: str) -> None:
        """Keep the claim, but let anybody have the name."""
        held = self._held.get(id)
        if held is not None:
            self._index.release(held[0].name, id)

    def expire(self, now: float) -> list[Reservation]:
        """End those whose time has passed.

        Args:
            now: trio time.

        Returns:
            Those of them whose container might have come, and has not.
        """
        doubtful = []
        for id, (reservation, node) in list(self._held.items()):
            if id in self._unseen and node.state is State.UNHEALTHY:
                self.keep_until(id, now + UNSEEN_SECONDS)
            elif reservation.expires <= now:
                if self._unseen.get(id) is False:
                    doubtful.append(reservation)
                self.end(id)
        return doubtful


def _network_words(config: ContainerConfig, node: Node) -> Iterator[str]:
    """What the networks of *config* may be called by others: as it does, by name and by id."""
    for text in config.networks:
        yield without_node(text, node)
        network = find_network(config.loose.get(("network", text), node), text)
        if network is not None:
            yield from (str(network.get("Name")), str(network.get("Id")))
