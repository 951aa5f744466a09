"""Waits until the manager's own changes are in the cache: by the engine's event, or by a read.

An engine sends the event of a change at about the time of its answer, and the event leads to a read
of the changed object.  A client must not get its answer before that, and nothing is read twice.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakSet

import trio

from swarmcore.engine.cache.refresh import Refresher
from swarmcore.model import Event

#: How long to wait for an event after the answer; it usually takes a few milliseconds.
_ARRIVAL_SECONDS = 0.05
#: How long to wait until a received event has been processed.
_READING_SECONDS = 1.0

#: To be awaited with the status of an answer before the client gets the answer.
Settle = Callable[[int], Awaitable[None]]


class PendingChange:
    """One change of a container that the engine is asked to make.

    Args:
        id: the container id.
        verbs: actions of events, any of which shows that the change is complete; may be empty.
        refresher: reads the container if no event has brought the change.
        events: the pending changes of this engine.
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
        #: Whether the cache reflects the event.
        self.is_settled = False

    def is_told_by(self, event: Event) -> bool:
        """Whether *event* shows that the change is complete."""
        return (
            event.type == "container" and event.actor_id == self._id and event.verb in self._verbs
        )

    def arrive(self) -> None:
        """Record that the event has been received."""
        self._arrived.set()

    def end(self, *, settled: bool) -> None:
        """End the waiting for the event.

        Args:
            settled: whether the cache reflects the event.
        """
        self.is_settled = settled
        self._ended.set()
        self._arrived.set()

    async def __call__(self, status: int) -> None:
        """Wait until the cache shows the change.

        Args:
            status: the status of the engine's answer.

        Raises:
            EngineError: the container cannot be read.
        """
        if status >= 300 or not await self.is_told():
            await self._refresher.container(self._id)

    async def is_told(self) -> bool:
        """Wait for the event; return whether the cache reflects it."""
        if not (self._verbs and self._events.is_followed):
            return self.is_settled
        if not self._ended.is_set():
            with trio.CancelScope(relative_deadline=_ARRIVAL_SECONDS) as waiting:
                await self._arrived.wait()
                waiting.deadline = trio.current_time() + _READING_SECONDS
                await self._ended.wait()
        return self.is_settled


class OwnChanges:
    """Changes that wait for their events, and received events that are not yet in the cache."""

    def __init__(self) -> None:
        self._waiting: WeakSet[PendingChange] = WeakSet()
        self._unread: deque[Event] = deque()
        #: Whether events are followed now; if not, waiting for one is pointless.
        self.is_followed = False

    def wait_for(self, settling: PendingChange, *, late: bool = False) -> None:
        """Notify *settling* when its event arrives.

        Args:
            settling: the change.
            late: whether its event may have been received already.
        """
        self._waiting.add(settling)
        if late and any(map(settling.is_told_by, self._unread)):
            settling.arrive()

    def arrived(self, event: Event) -> None:
        """Record that *event* has been received and not yet processed."""
        self._unread.append(event)
        for settling in self._told_by([event]):
            settling.arrive()

    def read(self, events: Sequence[Event], *, settled: bool) -> None:
        """Record that *events*, the oldest unprocessed ones, have been processed.

        Args:
            events: in order.
            settled: whether the cache reflects them; if not, reading failed.
        """
        for _ in events:
            self._unread.popleft()
        for settling in self._told_by(events):
            settling.end(settled=settled)
            self._waiting.discard(settling)

    def end(self) -> None:
        """End all waiting: no further events are processed."""
        self.is_followed = False
        self._unread.clear()
        for settling in list(self._waiting):
            settling.end(settled=False)
        self._waiting.clear()

    def _told_by(self, events: Sequence[Event]) -> list[PendingChange]:
        return [each for each in self._waiting if any(map(each.is_told_by, events))]
