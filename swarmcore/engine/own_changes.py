"""The manager's own changes on their way into the cache: by the engine's event, or by one read.

An engine sends an event of a change at about the time of its answer, and that event has the cache
read what changed.  A client must not be answered before that, and nothing is read twice.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakSet

import trio

from swarmcore.engine.refresh import Refresher
from swarmcore.model import Event

#: How long an event may be on its way when the answer is there; it takes a few milliseconds.
_ARRIVAL_SECONDS = 0.05
#: How long an event that is there may wait for the cache, behind others.
_READING_SECONDS = 1.0

#: Awaited with an answer's status, before the client sees the answer.
Settle = Callable[[int], Awaitable[None]]


class PendingChange:
    """One change of a container that an engine was asked for.

    Args:
        id: the container's.
        verbs: of events, each of which says that the change is complete; empty where no event does.
        refresher: reads the container where no event has brought the change.
        events: of the engine.
    """

    def __init__(
        self, id: str, verbs: Sequence[str], refresher: Refresher, events: "OwnChanges"
    ) -> None:
        self._id = id
        self._verbs = frozenset(verbs)
        self._refresher = refresher
        self._events = events
        self._arrived = trio.Event()
        self._ended = trio.Event()
        #: Whether the cache has what the event told of.
        self.is_settled = False

    def is_told_by(self, event: Event) -> bool:
        """Whether *event* tells that the change is complete."""
        return (
            event.type == "container" and event.actor_id == self._id and event.verb in self._verbs
        )

    def arrive(self) -> None:
        """Note that the event has come."""
        self._arrived.set()

    def end(self, *, settled: bool) -> None:
        """End the waiting for the event.

        Args:
            settled: the cache has what it told of.
        """
        self.is_settled = settled
        self._ended.set()
        self._arrived.set()

    async def __call__(self, status: int) -> None:
        """Have the cache show the change.

        Args:
            status: that the engine answered with.

        Raises:
            EngineError: the container could not be read.
        """
        if status >= 300 or not await self.is_told():
            await self._refresher.container(self._id)

    async def is_told(self) -> bool:
        """Whether the event has brought the change."""
        if not (self._verbs and self._events.is_followed):
            return self.is_settled
        with trio.move_on_after(_ARRIVAL_SECONDS):
            await self._arrived.wait()
        if self._arrived.is_set():
            with trio.move_on_after(_READING_SECONDS):
                await self._ended.wait()
        return self.is_settled


class OwnChanges:
    """The changes that wait for their events, and the events that the cache has not read yet."""

    def __init__(self) -> None:
        self._waiting: WeakSet[PendingChange] = WeakSet()
        self._unread: deque[Event] = deque()
        #: Whether events are taken as they come.
        self.is_followed = False

    def wait_for(self, settling: PendingChange, *, late: bool = False) -> None:
        """Tell *settling* of its event.

        Args:
            settling: told.
            late: its event may be there already.
        """
        self._waiting.add(settling)
        if late and any(map(settling.is_told_by, self._unread)):
            settling.arrive()

    def arrived(self, event: Event) -> None:
        """Note that *event* has come and is not read yet."""
        self._unread.append(event)
        for settling in self._told_by([event]):
            settling.arrive()

    def read(self, events: Sequence[Event], *, settled: bool) -> None:
        """The cache is done with *events*, the oldest that wait.

        Args:
            events: in order.
            settled: the cache has what they told of; else it could not be read.
        """
        for _ in events:
            self._unread.popleft()
        for settling in self._told_by(events):
            settling.end(settled=settled)
            self._waiting.discard(settling)

    def end(self) -> None:
        """End all waiting: no event is read any more."""
        self.is_followed = False
        self._unread.clear()
        for settling in list(self._waiting):
            settling.end(settled=False)
        self._waiting.clear()

    def _told_by(self, events: Sequence[Event]) -> list[PendingChange]:
        return [each for each in self._waiting if any(map(each.is_told_by, events))]
