"""A create's way to its first reservation: at once, or after waiting for room.

Placing and reserving are one step without an await, whether the client waited before or not.
"""

from collections.abc import Collection, Sequence

import trio

from swarmcore.cluster.placement import Placement
from swarmcore.cluster.queue import Waiter
from swarmcore.cluster.rehearsal import rehearse
from swarmcore.cluster.tickets import Ticket
from swarmcore.config import ContainerConfig
from swarmcore.config.waiting import Wish, read_wish
from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.images import has_image
from swarmcore.node import Node
from swarmcore.scheduler import is_full


class Admission:
    """Finds a node for one create and reserves there.

    Args:
        placement: shared by all creates.
        asked: what the client asked for.
        client: the client's key.

    Attributes:
        config: what was asked for, completed anew with each try.
        node: where it is reserved; ``None`` while it is not.
    """

    def __init__(self, placement: Placement, asked: ContainerConfig, client: str) -> None:
        self.config = asked
        self.node: Node | None = None
        self._placement = placement
        self._asked = asked
        self._client = client

    async def reserve(self) -> Node:
        """Reserve on some node, in turn where others wait.

        Raises:
            NoNodeFits: there is no room, or was none for as long as the client wanted to wait.
            Conflict, BadRequest, PlacementFailed, Unavailable: at once.
        """
        placement = self._placement
        await rehearse(placement.scheduler, self._asked, placement.nodes())
        wish = read_wish(self._asked.labels, placement.queue_seconds)
        if not wish.seconds:
            return self._reserve(placement.nodes())
        # Who comes back from a pull has a claim already; nobody in the line waits for that.
        if any(placement.tickets.of(self._client, self._asked.image)) or not placement.queue:
            self._reserve_if_possible()
        return self.node or await self._wait(wish)

    async def _wait(self, wish: Wish) -> Node:
        """Wait for room.

        Raises:
            NoNodeFits: waiting does not help, or too many do, or it took too long.
        """
        placement, queue = self._placement, self._placement.queue
        self.config = placement.complete(self._asked)
        placement.check_name_of(self.config)
        refusal = placement.refusal(self.config)
        if isinstance(refusal, NeverFits):
            raise placement.remembered(self.config, refusal)
        if queue.is_full:
            raise placement.remembered(
                self.config, _worded(refusal, f", and {len(queue)} creates wait already")
            )
        now = trio.current_time()
        waiter = Waiter(
            attempt=self._try,
            priority=wish.priority,
            name=self._asked.name,
            image=self._asked.image,
            since=now,
            until=now + wish.seconds,
        )
        if await queue.wait(waiter) and self.node is not None:
            return self.node
        raise placement.remembered(
            self.config,
            _worded(placement.refusal(self.config), f", after waiting {wish.seconds:g} s"),
        )

    # ---- deciding: nothing here awaits

    def _reserve_if_possible(self) -> None:
        """Reserve where there is room now."""
        nodes = self._placement.nodes()
        if not any(self._placement.tickets.of(self._client)):
            self._try(nodes)
            return
        try:
            self._reserve(nodes)
        except NeverFits:
            raise
        except NoNodeFits:
            pass

    def _try(self, nodes: Sequence[Node]) -> Collection[str] | None:
        """Reserve on one of *nodes*; ``None`` when that is done, else those only full for it."""
        placement = self._placement
        placement.permit()
        self.config = placement.complete(self._asked)
        placement.check_name_of(self.config)
        decision = placement.scheduler.decide(self.config, nodes)
        if decision.error is None:
            self._reserve(nodes)
            return None
        return {node.id for node, rule, _ in decision.refusals if is_full(rule, node)}

    def _reserve(self, nodes: Sequence[Node]) -> Node:
        """Settle the name, place, and reserve both."""
        placement = self._placement
        self.config = placement.complete(self._asked)
        promised = self._redeem_ticket(nodes)
        placement.check_name_of(self.config)
        node = placement.place_if_any(self.config, promised, "pulled")
        if node is None:
            try:
                node = placement.place(self.config, nodes, "create")
            except NoNodeFits:
                # What waits for this client's own pulls must not stand in its own way.
                if not self._surrender_claims():
                    raise
                node = placement.place(self.config, nodes, "create")
        placement.reserve(self.config, node)
        self.node = node
        return node

    def _redeem_ticket(self, nodes: Sequence[Node]) -> list[Node]:
        """The node on which this create's pull has been, if there is one; frees its claim there."""
        by_id = {node.id: node for node in nodes}

        def is_pulled(ticket: Ticket) -> bool:
            node = by_id.get(ticket.node_id)
            return node is not None and has_image(node, self._asked.image)

        ticket = self._placement.tickets.take(
            self._client, self._asked.image, self._asked.name, is_pulled
        )
        if ticket is None:
            return []
        self._placement.reservations.end(ticket.reservation)
        return [by_id[ticket.node_id]] if ticket.node_id in by_id else []

    def _surrender_claims(self) -> bool:
        """Void the claims that wait for the client's pulls; whether there were any."""
        tickets = list(self._placement.tickets.of(self._client))
        for ticket in tickets:
            self._placement.reservations.end(ticket.reservation)
        return bool(tickets)


def _worded(refusal: NoNodeFits | None, more: str) -> NoNodeFits:
    """The counted refusal, and what there is to add."""
    if refusal is None:
        return NoNodeFits(f"no node fits: what is free is kept for creates that wait longer{more}")
    return NoNodeFits(f"{refusal}{more}", refusal.refusals)
