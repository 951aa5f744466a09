"""Reservations: the claim on a node and the name of a container that no engine shows yet.

Each ends exactly once: when the engine shows the container, when the create failed, or by expiry.
Where the container may be on an engine that does not answer, the reservation waits for that engine.
Where its node lacks the image, it waits for the client: the create answers 404, the client pulls,
with its own credentials, and creates again; a *pending pull* ties the three together.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.references import find_network, without_node
from swarmcore.images import normal_image
from swarmcore.model import State
from swarmcore.names import NameIndex
from swarmcore.node import Node, Reservation, Thing

#: How long an engine that answers may take to show a container that it may have.
UNSEEN_SECONDS = 60.0


class Reservations:
    """All reservations of the cluster.

    Args:
        index: where the names are held.
        ended: called with the id of a node on which a reservation ended.
    """

    def __init__(
        self, index: NameIndex, ended: Callable[[str], None] = lambda node_id: None
    ) -> None:
        #: How many were ever made.
        self.made = 0
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
            other.objects.let_go(thing, reservation.id)
            self._leaving.setdefault(reservation.id, []).append((other, thing))
        self.made += 1
        self._held[reservation.id] = (reservation, node)
        node.reserve(reservation)
        self._index.reserve(config.name, reservation.id)
        return reservation

    def end(self, id: str) -> None:
        """End a reservation; nothing happens where it has ended."""
        self._unseen.pop(id, None)
        for other, thing in self._leaving.pop(id, ()):
            other.objects.take_back(thing, id)
        held = self._held.pop(id, None)
        if held is not None:
            reservation, node = held
            node.release(id)
            self._index.release(reservation.name, id)
            self._ended(node.id)

    def keep_until(self, id: str, expires: float) -> None:
        """Let it expire at *expires* (trio time): its create has ended."""
        held = self._held.get(id)
        if held is not None:
            reservation, node = held
            self._held[id] = (replace(reservation, expires=expires), node)

    def await_engine(self, id: str, now: float, *, exists: bool) -> None:
        """Give the engine time to show the container that it may have: the create has ended.

        Args:
            now: trio time.  The time begins anew while the engine is unhealthy.
            exists: the container is known to have been made.
        """
        if id in self._held:
            self._unseen[id] = exists
            self.keep_until(id, now + UNSEEN_SECONDS)

    def free_name(self, id: str) -> None:
        """Keep the claim, and release the name."""
        held = self._held.get(id)
        if held is not None:
            self._index.release(held[0].name, id)

    def expire(self, now: float) -> list[Reservation]:
        """End the reservations that have expired.

        Args:
            now: trio time.

        Returns:
            Those whose container might have come, and has not.
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


# ---- creates that wait for the client's pull

#: How many pulls are remembered at once: more than clients have under way, by far.
_MOST_PULLS = 10_000


@dataclass(frozen=True, slots=True)
class PendingPull:
    """One create that waits for a pull.

    Attributes:
        client: the client's key.
        image: normalised.
        name: as the client gave it; empty when it left the name to us.
        node_id: where the create was placed.
        reservation: id of the reservation that keeps its claim there.
        pull_by: trio time until which a pull belongs to this create.  Clients pull as soon as they
            have the 404; a later pull is one of its own.
        expires: trio time until which the create may come back.
    """

    client: str
    image: str
    name: str
    node_id: str
    reservation: str
    pull_by: float
    expires: float


class PendingPulls:
    """All pending pulls, oldest first.

    Args:
        limit: how many are kept at once; beyond that the oldest goes.
    """

    def __init__(self, limit: int = _MOST_PULLS) -> None:
        self._limit = limit
        self._pulls: dict[str, PendingPull] = {}

    def __len__(self) -> int:
        return len(self._pulls)

    def put(self, pull: PendingPull) -> list[PendingPull]:
        """Keep *pull*; returns the oldest ones that had to go for it."""
        self._pulls[pull.reservation] = pull
        surplus = list(self._pulls.values())[: max(len(self._pulls) - self._limit, 0)]
        for old in surplus:
            del self._pulls[old.reservation]
        return surplus

    def take(
        self, client: str, image: str, name: str, is_pulled: Callable[[PendingPull], bool]
    ) -> PendingPull | None:
        """The pending pull that a create comes back with, oldest first; it is used up.

        Args:
            client: the client's key.
            image: as the client named it.
            name: as the client gave it.  Without one, creates that are still waiting for their
                pulls look the same as one that comes back, so only a pulled image tells.
            is_pulled: whether the node of a pending pull has the image by now.
        """
        for pull in self.of(client, image):
            if pull.name == name and (name or is_pulled(pull)):
                return self._pulls.pop(pull.reservation)
        return None

    def of(self, client: str, image: str | None = None) -> Iterator[PendingPull]:
        """The pending pulls of a client, for one image or for all."""
        wanted = None if image is None else normal_image(image)
        for pull in list(self._pulls.values()):
            if pull.client == client and wanted in (None, pull.image):
                yield pull

    def renew(self, pull: PendingPull, expires: float) -> None:
        """The create of *pull* may come back until *expires* (trio time)."""
        self._pulls[pull.reservation] = replace(pull, expires=expires)

    def void(self, client: str, image: str) -> list[PendingPull]:
        """Remove and return those of *image*: the pull failed, so no create comes back for it."""
        voided = list(self.of(client, image))
        for pull in voided:
            del self._pulls[pull.reservation]
        return voided

    def expire(self, now: float) -> None:
        """Forget those that expired before *now* (trio time); reservations expire on their own."""
        for pull in list(self._pulls.values()):
            if pull.expires <= now:
                del self._pulls[pull.reservation]
