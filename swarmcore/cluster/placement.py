"""What placing needs and leaves behind: nodes, names, reservations and pull tickets.

Nothing here awaits: checking a name, placing and reserving are one step, so two creates never take
the same name, port or last gigabyte.  Which node is best is the scheduler's matter, asking the
engines ``creation``'s and ``renaming``'s.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import trio

from swarmcore.cluster.decision_log import DecisionLog
from swarmcore.cluster.membership import Membership
from swarmcore.cluster.moves import Moves
from swarmcore.cluster.pulls import (
    forget_failed_pulls,
    note_failed_carrying,
    note_failed_pull,
    note_pulled,
)
from swarmcore.cluster.queue import Queue
from swarmcore.cluster.reservations import Reservations
from swarmcore.cluster.tickets import Tickets
from swarmcore.cluster.turns import Turns
from swarmcore.config import ContainerConfig
from swarmcore.config.loose import leaving_for
from swarmcore.engine import Engine
from swarmcore.errors import Conflict, EngineError, NeverFits, NoNodeFits, SwarmError
from swarmcore.model import Claim, Container
from swarmcore.names import NameIndex
from swarmcore.node import Node, Reservation
from swarmcore.protocols import Decision, Explanation
from swarmcore.scheduler import Scheduler, why_no_room

log = logging.getLogger(__name__)


class PlacementListener(Protocol):
    """Hears of created containers."""

    def container_placed(self, config: ContainerConfig, node: Node) -> None:
        """*config* became a container on *node*."""
        ...


class Placement:
    """Creates containers; keeps what creates leave behind while they are under way.

    Args:
        scheduler: decides.
        members: the engines.
        index: the names.
        listener: told of each created container.
        alternates: how many other nodes are tried where a failure is the node's.
        reservation_seconds: how long the claim of a create waits for the client's pull, and the
            ports of a container for its first start.
        starts: how many creates and starts one engine has at once; 0 for any number.
        queue_seconds: how long a create without a label waits for room.
        queue_limit: how many may wait at once.
        invent_name: gives a free name to a container without one.
        invent_id: gives a swarm id to a container without one.
        classic: errors begin with Swarm classic's sentences.
        permit: makes sure that this manager may place, or raises ``Unavailable``.
        clock: Unix seconds.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        members: Membership,
        index: NameIndex,
        listener: PlacementListener,
        *,
        alternates: int,
        reservation_seconds: float,
        starts: int,
        queue_seconds: float,
        queue_limit: int,
        invent_name: Callable[[], str],
        invent_id: Callable[[], str],
        classic: bool = False,
        permit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.scheduler = scheduler
        self.members = members
        self.index = index
        self.listener = listener
        self.alternates = alternates
        self.reservation_seconds = reservation_seconds
        self.queue = Queue(self.nodes, queue_limit)
        self.queue_seconds = queue_seconds
        self.reservations = Reservations(index, self.queue.note)
        self.tickets = Tickets()
        self.turns = Turns(starts)
        self.moves = Moves(members, permit)
        self.decisions = DecisionLog()
        self._classic = classic
        self._invent_name = invent_name
        self._invent_id = invent_id
        self.permit = permit
        self._clock = clock

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
        if not self._classic:
            return ""
        return (
            f"Conflict: The name {name} is already assigned. You have to delete (or rename) that"
            f" container to be able to assign {name} to a container again. "
        )

    def check_name_of(self, config: ContainerConfig) -> None:
        """Make sure that the name of a create is free; a refusal is among the decisions.

        Raises:
            Conflict: it is not; Docker's text.
        """
        try:
            self.check_name(config.name)
        except Conflict as error:
            raise self.remembered(config, error) from None

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

    def nodes(self) -> list[Node]:
        """Those that may be placed on, health aside."""
        return [engine.node for engine in self.members.roll.registered]

    def place(self, config: ContainerConfig, nodes: Sequence[Node], cause: str) -> Node:
        """Choose one of *nodes*, and remember the decision.

        Args:
            config: what is to run.
            nodes: those that may be chosen.
            cause: what the decision is for: see ``DecisionRecord``.

        Raises:
            SwarmError: as ``Scheduler.place``.
        """
        try:
            decision = self.scheduler.decide(config, nodes)
        except SwarmError as error:
            self.remembered(config, error, cause)
            raise
        self.decisions.add(config, cause, decision)
        return self.chosen(decision, nodes)

    def chosen(self, decision: Decision, nodes: Sequence[Node]) -> Node:
        """The node that was chosen.

        Args:
            decision: made.
            nodes: those that were asked.

        Raises:
            NoNodeFits: none was; a ``NeverFits`` only where every engine was asked, also those
                that are expected and yet unknown: another may have what these lack.
        """
        refusal = self._for_now(decision.error, nodes)
        if refusal is not None:
            raise refusal
        return decision.node

    def place_if_any(
        self, config: ContainerConfig, nodes: Sequence[Node], cause: str
    ) -> Node | None:
        """As ``place``; ``None`` where no node fits, or there is none."""
        try:
            return self.place(config, nodes, cause) if nodes else None
        except NoNodeFits:
            return None

    def refusal(self, config: ContainerConfig) -> NoNodeFits | None:
        """Why no node would take *config* now; ``None`` where one would."""
        nodes = self.nodes()
        return self._for_now(self.scheduler.decide(config, nodes).error, nodes)

    def remembered(
        self, config: ContainerConfig, error: SwarmError, cause: str = "create"
    ) -> SwarmError:
        """*error*, which ends this create, once it is among the decisions."""
        self.decisions.add_failure(config, cause, error)
        return error

    def _for_now(self, refusal: NoNodeFits | None, nodes: Sequence[Node]) -> NoNodeFits | None:
        """*refusal* by *nodes*; not for good while some engine was not asked."""
        if isinstance(refusal, NeverFits) and len(nodes) < len(self.members.roll.all):
            return NoNodeFits(str(refusal), refusal.refusals)
        return refusal

    def reserve(self, config: ContainerConfig, node: Node) -> None:
        """Hold what *config* takes of *node*, and its name, for a create that begins there."""
        leaving = leaving_for(node, config.volumes, config.networks, self.nodes())
        self.reservations.make(config, node, leaving)
        self.members.strays.want(config.swarm_id, node.id)

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
        try:
            yield
        finally:
            node.release(held.id)
            self.queue.note(node.id)

    def explain(self, config: ContainerConfig) -> Explanation:
        """What a create of *config* would do now; leaves nothing behind.

        Raises:
            Conflict: its name is taken.
            BadRequest: a malformed expression.
        """
        completed = self.complete(config)
        self.check_name(completed.name)
        decision = self.scheduler.decide(completed, self.nodes(), whole=True)
        others = [each.node for each in decision.candidates[1 : 1 + self.alternates]]
        return Explanation(config, decision, others)

    def pull_targets(self, image: str, client_key: str, now: float) -> Sequence[Engine]:
        """The engines on which *client_key*'s creates wait for *image*, in order.

        To be asked when the pull begins: from now on their claims wait until it has ended.

        Args:
            image: as the client names it.
            client_key: whose pull it is.
            now: trio time.
        """
        wanted = set()
        for ticket in self.tickets.of(client_key, image):
            if now < ticket.pull_by:
                wanted.add(ticket.node_id)
                self.tickets.renew(ticket, now + self.reservation_seconds)
                self.reservations.keep_until(ticket.reservation, now + self.reservation_seconds)
        return [
            engine
            for engine in self.members.roll.registered
            if engine.node.id in wanted and engine.node.health > 0
        ]

    def note_pull(self, image: str, client_key: str, node: Node, error: EngineError | None) -> None:
        """*client_key*'s pull of *image* on *node* has ended; see ``protocols.Cluster``."""
        if error is None:
            note_pulled(node, image)
            return
        if note_failed_pull(node, image, error, trio.current_time()):
            self.scheduler.note_failure(node)
        for ticket in self.tickets.of(client_key, image):
            if ticket.node_id == node.id:
                self.decisions.note_failure(
                    ticket.reservation, node.name, f"the pull failed: {error}"
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
        for ticket in self.tickets.void(client_key, image):
            self.reservations.end(ticket.reservation)

    def expire(self, now: float) -> None:
        """Void what nobody came back for.

        Args:
            now: trio time.
        """
        self.tickets.expire(now)
        forget_failed_pulls((engine.node for engine in self.members.roll.all), now)
        for reservation in self.reservations.expire(now):
            self.members.strays.give_up(reservation.id, reservation.node_id)
        self._give_up_starts()

    def _give_up_starts(self) -> None:
        """Free the ports of created containers that nobody has started for so long."""
        for node in self.nodes():
            oldest = self._clock() - node.skew_seconds - self.reservation_seconds
            for container in list(node.starting.values()):
                if container.created < oldest:
                    node.give_up_start(container.id)
                    self.queue.note(node.id)

    def inform(self, config: ContainerConfig) -> ContainerConfig:
        """Give *config* what the cluster knows by now of that which it names."""
        nodes = self.nodes()
        all_known = len(nodes) == len(self.members.roll.all)
        return config.informed_by(nodes, all_known=all_known).with_replaced(nodes)

    def complete(self, config: ContainerConfig) -> ContainerConfig:
        """Give *config* what the cluster knows: what of that which it names exists, what it
        replaces, and a name and a swarm id where the client left them to us."""
        config = self.inform(replace(config, name=config.name or self._invent_name()))
        id = config.swarm_id
        # Tools that make a container anew copy its labels: two with one id would be taken for one.
        if id and id not in self.reservations and not self.index.has_swarm_id(id):
            return config
        return config.with_swarm_id(self._invent_id())
