"""Creates that wait for free resources, and the order in which they are served.

A create that finds no room and may wait joins the queue.  Changes that may have made room are
recorded; soon after, all waiting creates are tried in order on the nodes that changed.  The attempt
itself belongs to the create: it decides and reserves in one step.

The highest priority is served first, then the earliest arrival.  A create that does not fit may be
overtaken by later ones that fit, so that a large create does not block small ones, but at most
eight times.  After that it is *starved*: nodes that are merely full for it are kept for it, and
later creates must use other nodes or wait.
"""

from bisect import insort
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import trio

from swarmcore.errors import Unavailable
from swarmcore.node import Node
from swarmcore.protocols import Decision, WaitingCreate
from swarmcore.scheduler import is_full

#: How often an entry may be overtaken before nodes are kept for it.
_PATIENCE = 8


@dataclass(slots=True, eq=False)
class Entry:
    """One entry of a priority queue.

    Attributes:
        priority: higher priorities are served first.
        number: arrival number, set by the queue.
        overtaken: how many later entries were served before this one.
    """

    priority: int = 0
    number: int = 0
    overtaken: int = 0

    @property
    def is_starved(self) -> bool:
        """Whether no entry may overtake this one any more."""
        return self.overtaken >= _PATIENCE

    @property
    def rank(self) -> tuple[int, int]:
        """The sort key; smaller is served first."""
        return -self.priority, self.number


E = TypeVar("E", bound=Entry)


class PriorityQueue(Generic[E]):
    """Entries in the order in which they are served; counts how often each is overtaken.

    Args:
        limit: the maximum number of entries.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: list[E] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[E]:
        """Iterate over a copy of the entries in serving order."""
        return iter(tuple(self._entries))

    @property
    def is_full(self) -> bool:
        """Whether the queue has reached its limit."""
        return len(self._entries) >= self._limit

    def join(self, entry: E) -> None:
        """Add *entry* behind all entries of its priority."""
        self._arrivals += 1
        entry.number = self._arrivals
        insort(self._entries, entry, key=lambda each: each.rank)

    def leave(self, entry: E) -> None:
        """Remove *entry*, if it is in the queue."""
        if entry in self._entries:
            self._entries.remove(entry)

    def serve(self, entry: E) -> None:
        """Remove *entry*, which was served, and count it as having overtaken those before it."""
        for each in self._entries[: self._entries.index(entry)]:
            each.overtaken += 1
        self._entries.remove(entry)


#: Delay before serving, as changes come in bursts such as the removal of a compose project.
_GATHER_SECONDS = 0.05
#: Room may become free without a recorded change: a plugin's filter may depend on the clock.
_LOOK_AGAIN_SECONDS = 10.0

#: Decides between the given nodes, and reserves if one fits.
Attempt = Callable[[Sequence[Node]], Decision]


@dataclass(slots=True, eq=False)
class Waiter(Entry):
    """One create that waits.

    Attributes:
        attempt: tries to place the create; an exception ends the waiting.
        name: the container's name; empty if the client gave none.
        image: as the client named it.
        since, until: trio times.
        is_new: whether the create has not been tried yet and some node has room, so that its first
            attempt covers all nodes; otherwise it covers only nodes that changed.
        is_placed: whether the create has reserved a node.
        error: the exception of ``attempt``.
        over: set when the waiting has ended.
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
        nodes: returns the nodes that may be placed on.
        limit: how many creates may wait at the same time.
    """

    def __init__(self, nodes: Callable[[], Sequence[Node]], limit: int) -> None:
        self._nodes = nodes
        self._entries: PriorityQueue[Waiter] = PriorityQueue(limit)
        self._changed: set[str] = set()
        self._all_changed = False
        self._news = trio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_full(self) -> bool:
        """Whether no more creates may wait."""
        return self._entries.is_full

    def note(self, node_id: str = "") -> None:
        """Record that room may have become free on a node; empty: on any node."""
        if not self._entries:
            return
        if node_id:
            self._changed.add(node_id)
        else:
            self._all_changed = True
        self._news.set()

    async def wait(self, waiter: Waiter) -> bool:
        """Wait until *waiter* is placed or its time is over.

        Returns:
            Whether it was placed.

        Raises:
            Exception: any exception of ``attempt``.
            Unavailable: the manager stops.
        """
        self._entries.join(waiter)
        if waiter.is_new:
            self._news.set()
        try:
            with trio.move_on_at(waiter.until):
                await waiter.over.wait()
        finally:
            waiter.over.set()
            self._entries.leave(waiter)
            if waiter.is_starved:
                self.note()  # nodes that were kept for it are available to others
        if waiter.error is not None:
            raise waiter.error
        return waiter.is_placed

    def waiting(self, now: float) -> list[WaitingCreate]:
        """The waiting creates in serving order.

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
            for each in self._entries
        ]

    def close(self) -> None:
        """End all waiting with an error: the manager stops."""
        for waiter in self._entries:
            waiter.error = Unavailable("the manager is stopping and places no more containers")
            waiter.over.set()

    async def run(self) -> None:
        """Serve the waiting creates until cancelled."""
        while True:
            with trio.move_on_after(_LOOK_AGAIN_SECONDS) as looking:
                await self._news.wait()
                await trio.sleep(_GATHER_SECONDS)
            self._news = trio.Event()
            changed, self._changed = self._changed, set()
            everywhere, self._all_changed = self._all_changed, False
            await self._serve(None if everywhere or looking.cancelled_caught else changed)

    async def _serve(self, changed: Collection[str] | None) -> None:
        """Try all creates in order.

        Args:
            changed: ids of the nodes that may have room; ``None`` for all nodes.
        """
        kept: set[str] = set()
        for waiter in self._entries:
            if waiter.over.is_set():
                continue  # it stopped waiting during this loop
            anywhere = changed is None or waiter.is_new or waiter.is_starved
            nodes = [
                node
                for node in self._nodes()
                if node.id not in kept and (anywhere or node.id in (changed or ()))
            ]
            waiter.is_new = False
            if nodes:
                full = self._try(waiter, nodes)
                if waiter.is_starved:
                    kept.update(full)
                await trio.lowlevel.checkpoint()

    def _try(self, waiter: Waiter, nodes: Sequence[Node]) -> Collection[str]:
        """Try to place one create; return the ids of the nodes that are merely full for it."""
        try:
            decision = waiter.attempt(nodes)
        except Exception as error:
            waiter.error = error
        else:
            if decision.error is not None:
                return {node.id for node, rule, _ in decision.refusals if is_full(rule, node)}
            waiter.is_placed = True
            self._entries.serve(waiter)
        waiter.over.set()
        return ()
