"""Admission of one create: decision, reservation, alternates, and waiting in the queue.

A create is decided once and the decision is kept: its ranked candidates are the alternates, and its
refusals make the error text.  It is decided again only if something in the cluster has changed.
Deciding and reserving happen in one step without ``await``, so two creates never get the same name,
port or last gigabyte.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

import trio

from swarmcore.cluster.placement.placement import Placement
from swarmcore.cluster.placement.queue import Waiter
from swarmcore.cluster.placement.reservations import PendingPull
from swarmcore.container_config import ContainerConfig
from swarmcore.container_config.scheduling_labels import QueueOptions, read_queue_options
from swarmcore.errors import Conflict, NeverFits, NoNodeFits, SwarmError
from swarmcore.images import has_image, normal_image
from swarmcore.node import Node
from swarmcore.protocols import Decision, DecisionRecord, Rule

log = logging.getLogger(__name__)

#: A pull that begins within this time after the create's 404 belongs to the create.
_PULL_SECONDS = 15.0


class Admission:
    """Finds nodes for one create, one after the other, and reserves resources on them.

    Args:
        placement: shared by all creates.
        asked: the configuration that the client sent.
        client: the client's key.

    Attributes:
        config: *asked*, completed with what the cluster knew at the last decision.
    """

    def __init__(self, placement: Placement, asked: ContainerConfig, client: str) -> None:
        self.config = asked
        self._placement = placement
        self._asked = asked
        self._client = client
        #: The last decision that chose a node, and the value of ``Placement.changes`` after it.
        self._decision: Decision | None = None
        self._decided_at = 0
        #: The log record of that decision.
        self.record: DecisionRecord | None = None
        #: For a create that may wait: node id -> the rule that refused the node, with the reason;
        #: ``None`` if no rule refused it.  Equal pairs are shared objects, as there may be a
        #: thousand waiting creates and as many nodes.
        self._refusals: dict[str, tuple[Rule, str] | None] = {}
        self._may_wait = False
        #: Ids of the nodes on which the create has failed.
        self._excluded: set[str] = set()
        #: The first node that lacked the image; the client's pull will go there.
        self._lacking: Node | None = None
        #: The id of the reservation; empty if there is none.
        self._reserved = ""
        #: Whether the reservation stays after the create has ended.
        self._is_kept = False

    async def admit(self) -> Node:
        """Reserve on the best node; if no node has room, wait if the create asks for that.

        Returns:
            The node.

        Raises:
            NoNodeFits: no node has room, or none got room within the waiting time.
            Conflict: the name is taken.
            BadRequest: an expression is malformed.
            PlacementFailed: a filter, strategy or weigher raised an exception.
            Unavailable: this manager may not place, or it stops.
        """
        placement = self._placement
        await placement.rehearse(self._asked)
        options = read_queue_options(self._asked.labels, placement.settings.queue_seconds)
        self._may_wait = options.seconds > 0
        if not self._reserve_at_once():
            await self._wait(options)
        self._refusals.clear()
        assert self._decision is not None
        return self._decision.node

    async def _wait(self, options: QueueOptions) -> None:
        """Wait in the queue until the create is placed.

        Args:
            options: waiting time and priority.

        Raises:
            NoNodeFits: the waiting time is over.
        """
        now = trio.current_time()
        waiter = Waiter(
            attempt=self._reserve,
            priority=options.priority,
            name=self._asked.name,
            image=self._asked.image,
            since=now,
            until=now + options.seconds,
            is_new=self._decision is not None,
        )
        if not await self._placement.queue.wait(waiter):
            decision = self._last_refusal()
            more = f", after waiting {options.seconds:g} s"
            raise self._refused(decision, _worded(decision.error, more))

    # ---- deciding: the functions below do not await

    def _reserve_at_once(self) -> bool:
        """Reserve if a node has room now; return ``False`` if the create must wait.

        Raises:
            NoNodeFits: waiting cannot help, the create does not ask for it, or the queue is full.
        """
        placement, queue = self._placement, self._placement.queue
        # A create that follows its pull already has a claim, which no waiting create can get, so
        # it need not queue.
        overtakes = any(placement.pulls.of(self._client, self._asked.image)) or not queue
        if overtakes or not self._may_wait:
            decision = self._reserve_with_pull(placement.nodes())
            if decision.error is None:
                return True
        else:
            decision = self._decide(placement.nodes())
        if isinstance(decision.error, NeverFits) or (decision.error and not self._may_wait):
            raise self._refused(decision, decision.error)
        if queue.is_full:
            more = f", and {len(queue)} creates wait already"
            raise self._refused(decision, _worded(decision.error, more))
        if decision.error is None:
            queue.note(decision.node.id)  # let creates that came before try this node first
        return False

    def _reserve(self, nodes: Sequence[Node]) -> Decision:
        """Decide between *nodes*, and reserve if one of them fits."""
        decision = self._decide(nodes)
        if decision.error is None:
            self._accept(decision, "create")
        return decision

    def _reserve_with_pull(self, nodes: Sequence[Node]) -> Decision:
        """Like ``_reserve``, but prefer the node on which the client has pulled the image."""
        self._placement.permit()
        self.config = self._placement.complete(self._asked)
        promised = self._redeem_pull(nodes)
        self._check_name()
        if promised:
            decision = self._decide_between(promised, "pulled")
            if decision.error is None:
                self._accept(decision, "pulled")
                return decision
            self._log(decision, "pulled")
        decision = self._decide_between(nodes)
        # Claims held for this client's other pulls must not block this create.
        if decision.error is not None and self._surrender_claims():
            self._log(decision)
            decision = self._decide_between(nodes)
        if decision.error is None:
            self._accept(decision, "create")
        return decision

    def _decide(self, nodes: Sequence[Node]) -> Decision:
        """Complete the config, check its name, and decide.

        Raises:
            Conflict: the name is taken.
            Unavailable: this manager may not place.
        """
        placement = self._placement
        placement.permit()
        decision = self._still_valid(nodes)
        if decision is None:
            self.config = placement.complete(self._asked)
            self._check_name()
            decision = self._decide_between(nodes)
        return decision

    def _decide_between(self, nodes: Sequence[Node], cause: str = "create") -> Decision:
        """Decide; see ``Placement.decide``.

        Args:
            nodes: the nodes to choose from.
            cause: why the decision is made; see ``DecisionRecord``.
        """
        placement = self._placement
        try:
            decision = placement.decide(self.config, nodes)
        except SwarmError as error:
            placement.decisions.add_failure(self.config, cause, error)
            raise
        if self._may_wait and (decision.error is not None or placement.queue):
            self._note_refusals(decision)
        self._decision = decision if decision.error is None else None
        self._decided_at = placement.changes
        return decision

    def _note_refusals(self, decision: Decision) -> None:
        pairs: dict[tuple[str, str], tuple[Rule, str]] = {}
        for node, rule, reason in decision.refusals:
            pair = pairs.setdefault((rule.text, reason), (rule, reason))
            self._refusals[node.id] = pair
        self._refusals.update((each.node.id, None) for each in decision.candidates)

    def _still_valid(self, nodes: Sequence[Node]) -> Decision | None:
        """The last decision, limited to candidates among *nodes*.

        Returns:
            ``None`` if the cluster has changed since, so that a new decision is needed.
        """
        placement, decision = self._placement, self._decision
        if decision is None or self._decided_at != placement.changes:
            return None
        if placement.index.holder(self.config.name) is not None:
            return None
        return placement.scheduler.narrow(decision, self.config, nodes)

    def _accept(self, decision: Decision, cause: str) -> None:
        """Log *decision* and reserve on its node."""
        self.record = self._log(decision, cause)
        self._reserve_by(decision)

    def _reserve_by(self, decision: Decision) -> None:
        """Reserve on the node of *decision*; keep only as many candidates as may be tried."""
        placement = self._placement
        self._reserved = placement.reserve(self.config, decision.node).id
        most = 1 + max(placement.settings.alternates, 1)
        kept = decision.candidates[:most]
        self._decision = replace(decision, candidates=kept, refusals=(), verdicts={})
        self._decided_at = placement.changes

    def _log(self, decision: Decision, cause: str = "create") -> DecisionRecord:
        return self._placement.decisions.add(self.config, cause, decision)

    def _refused(self, decision: Decision, error: NoNodeFits) -> NoNodeFits:
        """Log that *error* ends this create, and return it."""
        self._log(replace(decision, candidates=(), error=error))
        return error

    def _last_refusal(self) -> Decision:
        """The combined refusal of all attempts; has no error if some node was not refused."""
        asked = [node for node in self._placement.nodes() if node.id in self._refusals]
        found = [(node, self._refusals[node.id]) for node in asked]
        refusals = [(node, *why) for node, why in found if why is not None]
        if len(refusals) < len(asked):
            return Decision((), (), refusals)
        error = self._placement.scheduler.refuse(self.config, asked, refusals)
        return Decision((), (), refusals, error)

    def _check_name(self) -> None:
        """Check that the name is free.

        Raises:
            Conflict: the name is taken; the text is Docker's.
        """
        try:
            self._placement.check_name(self.config.name, self.config.copies)
        except Conflict as error:
            self._placement.decisions.add_failure(self.config, "create", error)
            raise

    # ---- alternates

    def move(self, node: Node, why: str, *, with_image: bool) -> Node | None:
        """Replace *node* by another node that may succeed, and reserve there.

        Args:
            node: the node on which the create failed.
            why: the failure with the engine's words, for the log.
            with_image: whether to consider only nodes that have the image.

        Returns:
            The other node; ``None`` if there is none.
        """
        placement = self._placement
        if with_image and self._lacking is None:
            self._lacking = node
        self._excluded.add(node.id)
        is_current = self._decided_at == placement.changes
        self.end()
        most = placement.settings.alternates
        if with_image:  # such a node is tried even if there are no alternates, as in classic
            most = max(most, 1)
        if len(self._excluded) > most:
            return None
        self.config, image = placement.inform(self.config), self.config.image
        others = [each for each in self._others() if not with_image or has_image(each, image)]
        if is_current and self._decision is not None and self.record is not None:
            narrowed = placement.scheduler.narrow(self._decision, self.config, others)
            if narrowed is not None:
                self.record = placement.decisions.add_alternate(self.record, narrowed)
                self._reserve_by(narrowed)
                return narrowed.node
        if not others:
            return None
        decision = self._decide_between(others, "alternate")
        if decision.error is not None:
            decision = replace(decision, error=_worded(decision.error, f"; {why}"))
            self._log(decision, "alternate")
            return None
        self._accept(decision, "alternate")
        return decision.node

    def place_anew(self) -> Node:
        """Decide again because a network or volume cannot be moved to the chosen node.

        Raises:
            NoNodeFits: no node fits.
        """
        self.end()
        self.config = self._placement.inform(self.config)
        decision = self._decide_between(self._others(), "alternate")
        if decision.error is not None:
            self._log(decision, "alternate")
            raise decision.error
        self._accept(decision, "alternate")
        return decision.node

    def _others(self) -> list[Node]:
        return [node for node in self._placement.nodes() if node.id not in self._excluded]

    # ---- the reservation

    def end(self) -> None:
        """End the reservation, unless it is to be kept."""
        if self._reserved and not self._is_kept:
            self._placement.reservations.end(self._reserved)
            self._reserved = ""

    def await_engine(self, *, exists: bool) -> None:
        """Keep the reservation until the engine shows the container, or for a limited time.

        Args:
            exists: whether the container is known to exist.
        """
        self._is_kept = True
        now = trio.current_time()
        self._placement.reservations.await_engine(self._reserved, now, exists=exists)

    def await_pull(self) -> None:
        """Keep the claim on the node where the client's pull will go.

        The claim is kept briefly until the pull begins, as not every client pulls.
        """
        placement, node = self._placement, self._lacking
        if node is None or not placement.scheduler.admits(self.config, node):
            return
        reservation = placement.reservations.make(self.config, node)
        placement.reservations.free_name(reservation.id)
        expires = trio.current_time() + _PULL_SECONDS
        self._is_kept = True
        placement.reservations.keep_until(reservation.id, expires)
        pull = PendingPull(
            client=self._client,
            image=normal_image(self.config.image),
            name=self._asked.name,
            node_id=node.id,
            reservation=reservation.id,
            pull_by=expires,
            expires=expires,
        )
        for surplus in placement.pulls.put(pull):
            placement.reservations.end(surplus.reservation)

    def _redeem_pull(self, nodes: Sequence[Node]) -> list[Node]:
        """The node on which the client pulled for this create, if any; releases its claim there."""
        placement = self._placement

        def find(pull: PendingPull) -> list[Node]:
            return [node for node in nodes if node.id == pull.node_id]

        def is_pulled(pull: PendingPull) -> bool:
            return any(has_image(node, self._asked.image) for node in find(pull))

        pull = placement.pulls.take(self._client, self._asked.image, self._asked.name, is_pulled)
        if pull is None:
            return []
        placement.reservations.end(pull.reservation)
        return find(pull)

    def _surrender_claims(self) -> bool:
        """Release the claims held for this client's pulls; return whether there were any."""
        pulls = list(self._placement.pulls.of(self._client))
        for pull in pulls:
            self._placement.reservations.end(pull.reservation)
        return bool(pulls)


def _worded(refusal: NoNodeFits | None, more: str) -> NoNodeFits:
    """*refusal* with *more* appended to its text."""
    if refusal is None:
        return NoNodeFits(f"no node fits: what is free is kept for creates that wait longer{more}")
    return NoNodeFits(f"{refusal}{more}", refusal.refusals)
