"""State that all creates share: scheduler, nodes, names, reservations and the queue.

Apart from ``rehearse``, ``bringing`` and engine slots nothing here awaits.  The scheduler chooses
nodes; ``admission`` and ``create`` handle a single create.
"""

import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Protocol

import trio

from swarmcore import clock
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

#: How long matching patterns may keep other tasks from running.
_TURN_SECONDS = 0.01


class PlacementListener(Protocol):
    """Notified of new containers."""

    def container_placed(self, config: ContainerConfig, node: Node) -> None:
        """A container with *config* was created on *node*."""
        ...


class Placement:
    """State that all creates share.

    Args:
        scheduler: decides.
        members: the engines.
        index: container names.
        listener: notified of each new container.
        settings: the operator's settings.
        invent_name: returns a free name, for a container without one.
        invent_id: returns a swarm id, for a container without one.
        permit: raises ``Unavailable`` if this manager may not place.
        clock: returns Unix seconds.
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
        clock: Callable[[], float] = clock.unix_seconds,
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
        self._registered: tuple[Engine, ...] = ()
        self._nodes: tuple[Node, ...] = ()

    # ---- deciding

    @property
    def changes(self) -> int:
        """A counter of changes that decisions depend on; unchanged means decisions are valid."""
        return self._noted + self.reservations.made

    def note_change(self, node_id: str) -> None:
        """Record a change on a node: room may have become free, or the node may be gone.

        Args:
            node_id: the node; empty if any node may have changed.
        """
        self._noted += 1
        self.queue.note(node_id)

    def nodes(self) -> tuple[Node, ...]:
        """The registered nodes, healthy or not; the same tuple until engines join or leave."""
        registered = self.members.snapshot.registered
        if registered is not self._registered:
            self._registered = registered
            nodes = tuple(engine.node for engine in registered)
            if nodes != self._nodes:
                self._nodes = nodes
                self.scheduler.follow(nodes)
        return self._nodes

    async def rehearse(self, config: ContainerConfig) -> None:
        """Match the patterns of *config* on all nodes in advance; the nodes cache the results.

        Matching is slow, so this gives other tasks a turn in between.  The decision that follows is
        one step without ``await`` and matches again only what has changed.  Errors in *config* are
        ignored here; the decision raises them.
        """
        if not config.is_searched:
            return
        with suppress(SwarmError):
            since = clock.stopwatch()
            for _ in self.scheduler.rehearse(config, self.nodes()):
                if clock.stopwatch() - since > _TURN_SECONDS:
                    await trio.lowlevel.checkpoint()
                    since = clock.stopwatch()

    def decide(self, config: ContainerConfig, nodes: Sequence[Node]) -> Decision:
        """Choose one of *nodes*, or refuse; see ``Scheduler.decide``.

        Args:
            config: the completed configuration.
            nodes: the nodes to choose from.

        Returns:
            The decision.  Its error is ``NeverFits`` only if *nodes* includes every engine in
            discovery's list: an engine that has not yet joined may have what the others lack.

        Raises:
            SwarmError: see ``Scheduler.decide``.
        """
        decision = self.scheduler.decide(config, nodes)
        error = decision.error
        if isinstance(error, NeverFits) and len(nodes) < len(self.members.snapshot.all):
            return replace(decision, error=NoNodeFits(str(error), error.refusals))
        return decision

    def explain(self, config: ContainerConfig) -> Explanation:
        """Say what a create of *config* would do now; changes nothing.

        Raises:
            Conflict: the name is taken.
            BadRequest: an expression is malformed.
        """
        completed = self.complete(config)
        self.check_name(completed.name)
        decision = self.scheduler.decide(completed, self.nodes(), whole=True)
        others = [each.node for each in decision.candidates[1 : 1 + self.settings.alternates]]
        return Explanation(config, decision, others)

    def inform(self, config: ContainerConfig) -> ContainerConfig:
        """Add to *config* what the nodes know of the objects that it refers to."""
        nodes = self.nodes()
        all_known = len(nodes) == len(self.members.snapshot.all)
        if config.left is not None:  # what the moved container used there stays behind
            nodes = tuple(node for node in nodes if node is not config.left)
        config = config.informed_by(nodes, all_known=all_known)
        if not config.replacement.is_marked:
            holders = {each.node_id for each in self.index.formerly(config.name)}
            nodes = tuple(node for node in nodes if node.id in holders) if holders else ()
        return config.with_replaced(nodes)

    def complete(self, config: ContainerConfig) -> ContainerConfig:
        """Complete *config*: which objects that it refers to exist, which container it replaces,
        and a name and a swarm id if the client gave none."""
        config = self.inform(replace(config, name=config.name or self._invent_name()))
        id = config.swarm_id
        # Tools that recreate a container copy its labels, so a swarm id in use is replaced.
        is_free = id not in self.reservations and not self.index.has_swarm_id(id)
        if id and (is_free or config.copies):
            return config
        return config.with_swarm_id(self._invent_id())

    # ---- names

    def check_name(self, name: str, copies: str = "") -> None:
        """Check that *name* is free.

        Args:
            name: the name.
            copies: id of a container that may have it.

        Raises:
            Conflict: *name* is taken; the text is Docker's.
        """
        holder = self.index.holder(name)
        id = holder.id if isinstance(holder, Container) else holder
        if id is not None and id != copies:
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
        """Reserve *name* while the block runs.

        Raises:
            Conflict: *name* is taken.
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
        """Reserve the name and the resources of *config* for a create on *node*."""
        leaving = leaving_for(node, config.volumes, config.networks, self.nodes())
        self.members.orphans.expect(config.swarm_id, node.id)
        return self.reservations.make(config, node, leaving)

    @contextmanager
    def expecting(self, config: ContainerConfig, node: Node, linger: float) -> Iterator[None]:
        """Count a network or a volume that is being created; see ``protocols.Cluster``."""
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
        """Move unused networks to *node*; see ``protocols.Cluster``.

        Args:
            networks: names or ids, as in ``ContainerConfig.networks``.
            node: the node of an existing container.

        Raises:
            EngineRefused: the engine refuses to create a network.
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
        """Reserve the difference between *claim* and the container's claim during an update.

        Raises:
            Conflict: the node has not enough free resources.
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
        """The engines on which the client's creates wait for *image*, in natural order.

        To be called when the pull begins: it extends the claims of those creates.

        Args:
            image: as the client named it.
            client_key: the client that pulls.
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
        """Record the end of a pull on one engine; see ``protocols.Cluster``."""
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
        """Record that the image of *config* could not be copied from *source* to *node*."""
        text = f"carrying the image from {source.name} failed: {error}"
        self.decisions.note_failure(config.swarm_id, node.name, text)
        log.warning("creating %s on %s: %s", config.name, node.name, text)
        if error.engine == node.name:
            note_failed_carrying(node, config.image, error, trio.current_time())
            self.scheduler.note_failure(node)

    def pull_failed(self, image: str, client_key: str) -> None:
        """Release what was reserved for the client's pull of *image*."""
        for pull in self.pulls.void(client_key, image):
            self.reservations.end(pull.reservation)

    # ---- expiry

    def expire(self, now: float) -> None:
        """End expired pulls, reservations and claims on ports.

        Args:
            now: trio time.
        """
        self.pulls.expire(now)
        forget_failed_pulls((engine.node for engine in self.members.snapshot.all), now)
        for reservation in self.reservations.expire(now):
            self.members.orphans.abandon(reservation.id, reservation.node_id)
        self._give_up_starts()

    def _give_up_starts(self) -> None:
        """Release the ports of created containers that have not been started in time."""
        for node in self.nodes():
            if not node.starting:  # nearly always, for each of perhaps a thousand nodes
                continue
            oldest = self._clock() - node.skew_seconds - self.settings.reservation_seconds
            for container in list(node.starting.values()):
                if container.created < oldest:
                    node.give_up_start(container.id)
                    self.note_change(node.id)
