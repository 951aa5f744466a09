"""Creates that wait until there is room for them.

A create that finds no room, and was asked to wait, takes a place in the ``line``.  Whatever may
have made room is noted; soon after, all who wait are tried in their order on the nodes where
something changed.  What trying means is the create's matter: it places and reserves in one step, as
ever.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import trio

from swarmcore.cluster.line import Line, Place
from swarmcore.errors import Unavailable
from swarmcore.node import Node
from swarmcore.protocols import WaitingCreate

#: Changes come in bursts, such as the removal of a compose project.
_GATHER_SECONDS = 0.05
#: Room may come of what nobody notes, such as a filter of a plugin that looks at the clock.
_LOOK_AGAIN_SECONDS = 10.0

#: Tries to place on some nodes; ``None`` when that is done, else ids of those that are only full.
Attempt = Callable[[Sequence[Node]], Collection[str] | None]


@dataclass(slots=True, eq=False)
class Waiter(Place):
    """One create that waits.

    Attributes:
        attempt: tries it; what it raises ends the waiting.
        name: of the container; empty when the client left it to us.
        image: as the client named it.
        since, until: trio times.
        is_new: nothing was tried yet.
        is_placed: it has what it waited for.
        error: why trying is of no use.
        over: it waits no more.
    """

    attempt: Attempt = field(kw_only=True)
    name: str = ""
    image: str = ""
    since: float = 0.0
    until: float = 0.0
    is_new: bool = True
    is_placed: bool = False
    error: Exception | None = None
    over: trio.Event = field(default_factory=trio.Event)


class Queue:
    """All creates that wait.

    Args:
        nodes: those that may be placed on, as they are now.
        limit: how many may wait at once.
    """

    def __init__(self, nodes: Callable[[], Sequence[Node]], limit: int) -> None:
        self._nodes = nodes
        self._line: Line[Waiter] = Line(limit)
        self._changed: set[str] = set()
        self._all_changed = False
        self._news = trio.Event()

    def __len__(self) -> int:
        return len(self._line)

    @property
    def is_full(self) -> bool:
        """Whether no more may wait."""
        return self._line.is_full

    def note(self, node_id: str = "") -> None:
        """Something changed on that node, or anywhere: there may be room now."""
        if not self._line:
            return
        if node_id:
            self._changed.add(node_id)
        else:
            self._all_changed = True
        self._news.set()

    async def wait(self, waiter: Waiter) -> bool:
        """Wait in line until *waiter* is placed, or its time is over.

        Returns:
            Whether it is placed.

        Raises:
            Exception: what its attempt raised.
            Unavailable: the manager stops.
        """
        self._line.join(waiter)
        self._news.set()
        try:
            with trio.move_on_at(waiter.until):
                await waiter.over.wait()
        finally:
            waiter.over.set()
            self._line.leave(waiter)
            if waiter.is_owed:
                self.note()  # what was kept for it is free for others
        if waiter.error is not None:
            raise waiter.error
        return waiter.is_placed

    def waiting(self, now: float) -> list[WaitingCreate]:
        """Who waits, in order.

        Args:
            now: trio time.
        """
        return [
            WaitingCreate(
                name=each.name,
                image=each.image,
                priority=each.priority,
                waited_seconds=now - each.since,
                left_seconds=max(each.until - now, 0.0),
                overtaken=each.overtaken,
            )
            for each in self._line
        ]

    def close(self) -> None:
        """The manager stops: whoever waits is told so."""
        for waiter in self._line:
            waiter.error = Unavailable("the manager stops: nobody is placed any more")
            waiter.over.set()

    async def run(self) -> None:
        """Serve those who wait, until cancelled."""
        while True:
            with trio.move_on_after(_LOOK_AGAIN_SECONDS) as looking:
                await self._news.wait()
                await trio.sleep(_GATHER_SECONDS)
            self._news = trio.Event()
            changed, self._changed = self._changed, set()
            everywhere, self._all_changed = self._all_changed, False
            await self._serve(None if everywhere or looking.cancelled_caught else changed)

    async def _serve(self, changed: Collection[str] | None) -> None:
        """Try all in their order.

        Args:
            changed: ids of the nodes where there may be room; ``None`` for everywhere.
        """
        kept: set[str] = set()
        for waiter in self._line:
            if waiter.over.is_set():
                continue  # it has left meanwhile
            anywhere = changed is None or waiter.is_new or waiter.is_owed
            nodes = [
                node
                for node in self._nodes()
                if node.id not in kept and (anywhere or node.id in (changed or ()))
            ]
            waiter.is_new = False
            if nodes:
                full = self._try(waiter, nodes)
                if waiter.is_owed:
                    kept.update(full)
                await trio.lowlevel.checkpoint()

    def _try(self, waiter: Waiter, nodes: Sequence[Node]) -> Collection[str]:
        """Serve one, if that can be; the nodes that are only full for it."""
        try:
            full = waiter.attempt(nodes)
        except Exception as error:
            waiter.error = error
        else:
            if full is not None:
                return full
            waiter.is_placed = True
            self._line.serve(waiter)
        waiter.over.set()
        return ()
