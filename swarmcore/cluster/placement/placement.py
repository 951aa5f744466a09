"""What all creates share: the scheduler, the nodes, names, reservations and the queue.

Nothing here awaits but ``rehearse`` and the wait for an engine's slot.  Which node is best is the
scheduler's matter; the way of one create is ``admission``'s and ``create``'s.
"""

import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from time import perf_counter
from typing import Protocol

import trio

from swarmcore.cluster.membership import Membership
from swarmcore.cluster.placement.decision_log import DecisionLog
from swarmcore.cluster.placement.engine_create import EngineSlots
from swarmcore.cluster.placement.pull_failures import (
    forget_failed_pulls,
    note_failed_carrying,
    note_failed_pull,
    note_pulled,
)
from swarmcore.cluster.placement.queue import Queue
from swarmcore.cluster.placement.relocation import Relocation
from swarmcore.cluster.placement.reservations import PendingPulls, Reservations
from swarmcore.cluster.settings import ClusterSettings
from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.references import leaving_for
from swarmcore.engine import Engine
from swarmcore.errors import Conflict, EngineError, NeverFits, NoNodeFits, SwarmError
from swarmcore.model import Claim, Container
from swarmcore.names import NameIndex
from swarmcore.node import Node, Reservation
from swarmcore.protocols import Decision, Explanation
from swarmcore.scheduler import Scheduler, why_no_room

log = logging.getLogger(__name__)

#: How long the rules work on patterns before other tasks get a turn.
_TURN_SECONDS = 0.01


class PlacementListener(Protocol):
    """Hears of created containers."""

    def container_placed(self, config: ContainerConfig, node: Node) -> None:
        """*config* became a container on *node*."""
        ...


class Placement:
    """What creates share, and what they leave behind while they are under way.

    Args:
        scheduler: decides.
        members: the engines.
        index: the names.
        listener: told of each created container.
        settings: the operator's.
        invent_name: gives a free name to a container without one.
        invent_id: gives a swarm id to a container without one.
        permit: makes sure that this manager may place, or raises ``Unavailable``.
        clock: Unix seconds.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        members: Membership,
        index: NameIndex,
        listener: PlacementListener,
        settings: ClusterSettings,
        *,
        invent_name: Callable[[], str],
        invent_id: Callable[[], str],
        permit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.scheduler = scheduler
        self.members = members
        self.index = index
        self.listener = listener
        self.settings = settings
        self.queue = Queue(self.nodes, settings.queue_limit)
        self.reservations = Reservations(index, self.note_change)
        self.pulls = PendingPulls()
        self.slots = EngineSlots(settings.starts)
        self.relocation = Relocation(members, permit)
        self.decisions = DecisionLog()
        self._invent_name = invent_name
        self._invent_id = invent_id
        self.permit = permit
        self._clock = clock
        self._noted = 0

    # ---- deciding

    @property
    def changes(self) -> int:
        """How often something changed that decisions depend on; the same number: nothing did."""
        return self._noted + self.reservations.made

    def note_change(self, node_id: str) -> None:
        """Something changed on a node: there may be room, or a node less.

        Args:
            node_id: empty for any node.
        """
        self._noted += 1
        self.queue.note(node_id)

    def nodes(self) -> list[Node]:
        """The nodes that may be placed on, healthy or not."""
        return [engine.node for engine in self.members.snapshot.registered]

    async def rehearse(self, config: ContainerConfig) -> None:
        """Have the patterns of *config* looked for on all nodes, which remember what was found.

        That takes long, so other tasks get their turn in between; the decision itself stays one
        step without a pause, and looks again only where something has changed meanwhile.  Errors
        in *config* are raised by the decision.
        """
        if not config.is_searched:
            return
        with suppress(SwarmError):
            since = perf_counter()
            for _ in self.scheduler.rehearse(config, self.nodes()):
                if perf_counter() - since > _TURN_SECONDS:
                    await trio.lowlevel.checkpoint()
                    since = perf_counter()

    def decide(self, config: ContainerConfig, nodes: Sequence[Node]) -> Decision:
        """Choose one of *nodes*, or refuse; see ``Scheduler.decide``.

        Args:
            config: completed.
            nodes: those that may be chosen.

        Returns:
            The decision.  Its error is a ``NeverFits`` only where every engine was asked, also
            those that are expected and yet unknown: another may have what these lack.

        Raises:
            SwarmError: as ``Scheduler.decide``.
        """
        decision = self.scheduler.decide(config, nodes)
        error = decision.error
        if isinstance(error, NeverFits) and len(nodes) < len(self.members.snapshot.all):
            return replace(decision, error=NoNodeFits(str(error), error.refusals))
        return decision

    def explain(self, config: ContainerConfig) -> Explanation:
        """What a create of *config* would do now; leaves nothing behind.

        Raises:
            Conflict: its name is taken.
            BadRequest: a malformed expression.
        """
        completed = self.complete(config)
        self.check_name(completed.name)
        decision = self.scheduler.decide(completed, self.nodes(), whole=True)
        others = [each.node for each in decision.candidates[1 : 1 + self.settings.alternates]]
        return Explanation(config, decision, others)

    def inform(self, config: ContainerConfig) -> ContainerConfig:
        """Give *config* what the cluster knows by now of the things that it names."""
        nodes = self.nodes()
        all_known = len(nodes) == len(self.members.snapshot.all)
        return config.informed_by(nodes, all_known=all_known).with_replaced(nodes)

    def complete(self, config: ContainerConfig) -> ContainerConfig:
        """Give *config* what the cluster knows: which of the things that it names exist, what it
        replaces, and a name and a swarm id where the client left them to us."""
        config = self.inform(replace(config, name=config.name or self._invent_name()))
        id = config.swarm_id
        # Tools that make a container anew copy its labels: two with one id would be taken for one.
        if id and id not in self.reservations and not self.index.has_swarm_id(id):
            return config
        return config.with_swarm_id(self._invent_id())

    # ---- names

    def check_name(self, name: str) -> None:
        """Make sure that *name* is free.

        Raises:
            Conflict: it is not; Docker's text.
        """
        holder = self.index.holder(name)
        if holder is not None:
            id = holder.id if isinstance(holder, Container) else holder
            raise Conflict(
                f"{self._classic_conflict(name)}"
                f'Conflict. The container name "/{name}" is already in use by container "{id}".'
                " You have to remove (or rename) that container to be able to reuse that name."
            )

    def _classic_conflict(self, name: str) -> str:
        if not self.settings.classic:
            return ""
        return (
            f"Conflict: The name {name} is already assigned. You have to delete (or rename) that"
            f" container to be able to assign {name} to a container again. "
        )

    @contextmanager
    def holding_name(self, name: str) -> Iterator[None]:
        """Take *name* while the block lasts, for a container that is about to have it.

        Raises:
            Conflict: it is not free.
        """
        self.check_name(name)
        hold = self._invent_id()
        self.index.reserve(name, hold)
        try:
            yield
        finally:
            self.index.release(name, hold)

    # ---- reserving

    def reserve(self, config: ContainerConfig, node: Node) -> Reservation:
        """Hold what *config* takes of *node*, and its name, for a create that begins there."""
        leaving = leaving_for(node, config.volumes, config.networks, self.nodes())
        self.members.orphans.expect(config.swarm_id, node.id)
        return self.reservations.make(config, node, leaving)

    @contextmanager
    def expecting(self, config: ContainerConfig, node: Node, linger: float) -> Iterator[None]:
        """Count a network or a volume that is being made; see ``protocols.Cluster``."""
        held = self.reservations.make(config.with_swarm_id(self._invent_id()), node)
        try:
            yield
        finally:
            if linger:
                self.reservations.keep_until(held.id, trio.current_time() + linger)
            else:
                self.reservations.end(held.id)

    @asynccontextmanager
    async def bringing(self, networks: Sequence[str], node: Node) -> AsyncIterator[None]:
        """Have on *node* those of *networks* that nothing uses yet; see ``protocols.Cluster``.

        Args:
            networks: as ``config.networks``.
            node: holds a container that is there already.

        Raises:
            EngineRefused: its engine refuses to have one.
            Unavailable: this manager may not place.
        """
        asked = replace(ContainerConfig.parse({}), networks=tuple(networks))
        config = self.inform(asked.with_swarm_id(self._invent_id()))
        if not config.loose:
            yield
            return
        self.permit()
        self.reserve(config, node)
        try:
            await self.relocation.bring(config, node)
            yield
        finally:
            self.reservations.end(config.swarm_id)

    @contextmanager
    def growing(self, container: Container, claim: Claim) -> Iterator[None]:
        """Hold what *claim* has more than the container's own while its engine updates it.

        Raises:
            Conflict: the node has no room for that.
        """
        node = self.members.by_node(container.node_id).node
        more = Claim(
            max(claim.nano_cpus - container.claim.nano_cpus, 0),
            max(claim.memory - container.claim.memory, 0),
        )
        if lacking := why_no_room(more, node):
            raise Conflict(
                f"Cannot update container {container.called}: no room for more: {lacking}"
            )
        name, labels = container.name, container.labels
        held = Reservation(self._invent_id(), name, node.id, "", more, labels, math.inf)
        node.reserve(held)
        self._noted += 1
        try:
            yield
        finally:
            node.release(held.id)
            self.note_change(node.id)

    # ---- pulls

    def pull_targets(self, image: str, client_key: str, now: float) -> Sequence[Engine]:
        """The engines on which *client_key*'s creates wait for *image*, in order.

        To be asked when the pull begins: from now on their claims wait until it has ended.

        Args:
            image: as the client names it.
            client_key: whose pull it is.
            now: trio time.
        """
        wanted = set()
        for pull in self.pulls.of(client_key, image):
            if now < pull.pull_by:
                wanted.add(pull.node_id)
                self.pulls.renew(pull, now + self.settings.reservation_seconds)
                self.reservations.keep_until(
                    pull.reservation, now + self.settings.reservation_seconds
                )
        return [
            engine
            for engine in self.members.snapshot.registered
            if engine.node.id in wanted and engine.node.health > 0
        ]

    def note_pull(self, image: str, client_key: str, node: Node, error: EngineError | None) -> None:
        """*client_key*'s pull of *image* on *node* has ended; see ``protocols.Cluster``."""
        if error is None:
            note_pulled(node, image)
            return
        if note_failed_pull(node, image, error, trio.current_time()):
            self.scheduler.note_failure(node)
        for pull in self.pulls.of(client_key, image):
            if pull.node_id == node.id:
                self.decisions.note_failure(
                    pull.reservation, node.name, f"the pull failed: {error}"
                )

    def note_failed_carrying(
        self, config: ContainerConfig, source: Node, node: Node, error: EngineError
    ) -> None:
        """The image of *config* could not be carried from *source* to *node*."""
        text = f"carrying the image from {source.name} failed: {error}"
        self.decisions.note_failure(config.swarm_id, node.name, text)
        log.warning("creating %s on %s: %s", config.name, node.name, text)
        if error.engine == node.name:
            note_failed_carrying(node, config.image, error, trio.current_time())
            self.scheduler.note_failure(node)

    def pull_failed(self, image: str, client_key: str) -> None:
        """Give back what waited for *client_key*'s pull of *image*."""
        for pull in self.pulls.void(client_key, image):
            self.reservations.end(pull.reservation)

    # ---- expiry

    def expire(self, now: float) -> None:
        """Void what nobody came back for.

        Args:
            now: trio time.
        """
        self.pulls.expire(now)
        forget_failed_pulls((engine.node for engine in self.members.snapshot.all), now)
        for reservation in self.reservations.expire(now):
            self.members.orphans.abandon(reservation.id, reservation.node_id)
        self._give_up_starts()

    def _give_up_starts(self) -> None:
        """Free the ports of created containers that nobody has started for so long."""
        for node in self.nodes():
            oldest = self._clock() - node.skew_seconds - self.settings.reservation_seconds
            for container in list(node.starting.values()):
                if container.created < oldest:
                    node.give_up_start(container.id)
                    self.note_change(node.id)
