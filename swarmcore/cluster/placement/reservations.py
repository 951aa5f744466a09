"""Reservations: claim and name of a container that its engine does not show yet.

A reservation ends exactly once: when the engine shows the container, when the create fails, or when
it expires.  If the container may exist on an engine that does not answer, the reservation is kept
until that engine is back.  If the node lacks the image, the reservation is kept for the client: the
create is answered with 404, the client pulls with its own credentials and creates again.  A
*pending pull* connects these three requests.
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

#: How long an engine that answers may take to show a container that it may have created.
UNSEEN_SECONDS = 60.0


class Reservations:
    """All reservations of the cluster.

    Args:
        index: the name index, in which names are reserved.
        ended: called with the node id when a reservation ends.
    """

    def __init__(
        self, index: NameIndex, ended: Callable[[str], None] = lambda node_id: None
    ) -> None:
        #: The number of reservations ever made.
        self.made = 0
        self._index = index
        self._ended = ended
        self._held: dict[str, tuple[Reservation, Node]] = {}
        #: Id of a reservation whose engine does not show the container -> whether it is known to
        #: exist.
        self._unseen: dict[str, bool] = {}
        #: Id of a reservation -> objects of other nodes that may be moved for it.
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
            config: the configuration of the container.
            node: the node that will run it.
            leaving: networks and volumes that other nodes give up for it while it lasts.
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
        """End a reservation; does nothing if it has ended already."""
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
        """Let the reservation expire at *expires* (trio time): its create has ended."""
        held = self._held.get(id)
        if held is not None:
            reservation, node = held
            self._held[id] = (replace(reservation, expires=expires), node)

    def await_engine(self, id: str, now: float, *, exists: bool) -> None:
        """Keep the reservation of a create that has ended until the engine shows the container.

        Args:
            id: the reservation.
            now: trio time.  The time limit starts again while the engine is unhealthy.
            exists: whether the container is known to exist.
        """
        if id in self._held:
            self._unseen[id] = exists
            self.keep_until(id, now + UNSEEN_SECONDS)

    def is_unseen(self, id: str) -> bool:
        """Whether it is unknown if an engine made the container of a reservation."""
        return id in self._unseen

    def doubtful(self) -> list[Reservation]:
        """The reservations of which it is unknown whether an engine made the container."""
        return [self._held[id][0] for id, exists in self._unseen.items() if not exists]

    def free_name(self, id: str) -> None:
        """Release the name and keep the claim."""
        held = self._held.get(id)
        if held is not None:
            self._index.release(held[0].name, id)

    def expire(self, now: float) -> list[Reservation]:
        """End the reservations that have expired.

        Args:
            now: trio time.

        Returns:
            Those whose container may still appear.
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
    """The texts by which others may refer to the networks of *config*: as given, name and id."""
    for text in config.networks:
        yield without_node(text, node)
        network = find_network(config.loose.get(("network", text), node), text)
        if network is not None:
            yield from (str(network.get("Name")), str(network.get("Id")))


# ---- creates that wait for the client's pull

#: Maximum number of pending pulls, far above what clients have under way.
_MOST_PULLS = 10_000


@dataclass(frozen=True, slots=True)
class PendingPull:
    """One create that waits for its client's pull.

    Attributes:
        client: the client's key.
        image: normalised image name.
        name: the container name that the client gave; empty if it gave none.
        node_id: the node on which the create was placed.
        reservation: id of the reservation that holds the claim there.
        pull_by: trio time until which a pull belongs to this create; clients pull as soon as they
            get the 404.
        expires: trio time until which the create may be repeated.
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
        limit: the maximum number; beyond it the oldest are dropped.
    """

    def __init__(self, limit: int = _MOST_PULLS) -> None:
        self._limit = limit
        self._pulls: dict[str, PendingPull] = {}

    def __len__(self) -> int:
        return len(self._pulls)

    def put(self, pull: PendingPull) -> list[PendingPull]:
        """Add *pull*; return the oldest ones if they had to be dropped."""
        self._pulls[pull.reservation] = pull
        surplus = list(self._pulls.values())[: max(len(self._pulls) - self._limit, 0)]
        for old in surplus:
            del self._pulls[old.reservation]
        return surplus

    def take(
        self, client: str, image: str, name: str, is_pulled: Callable[[PendingPull], bool]
    ) -> PendingPull | None:
        """Find and remove the pending pull of a create that is repeated; the oldest first.

        Args:
            client: the client's key.
            image: as the client named it.
            name: as the client gave it.  Creates without a name cannot be told apart, so for them
                a pull matches only if its node has the image by now.
            is_pulled: whether the node of a pending pull has the image.
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
        """Let the create of *pull* be repeated until *expires* (trio time)."""
        self._pulls[pull.reservation] = replace(pull, expires=expires)

    def void(self, client: str, image: str) -> list[PendingPull]:
        """Remove and return the pending pulls of *image*: the pull has failed."""
        voided = list(self.of(client, image))
        for pull in voided:
            del self._pulls[pull.reservation]
        return voided

    def expire(self, now: float) -> None:
        """Remove pulls that have expired by *now* (trio time); reservations expire separately."""
        for pull in list(self._pulls.values()):
            if pull.expires <= now:
                del self._pulls[pull.reservation]
