"""One subscription to an engine's events, which lasts as long as the engine sends any.

While the cache is kept current, events are published when the cache has what they tell of.  When
the engine does not answer requests any more, they are published as they come.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from swarmcore.engine.documents import Stale
from swarmcore.engine.own_changes import OwnChanges
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.events import identity_of, read_event
from swarmcore.model import Event
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: Events that wait while the cache is being read; more than that is a gap.  An engine gives a slow
#: reader 100 ms per event before it loses events, so reading never waits for anything.
_BACKLOG = 2048
#: Replayed events that are recognised: twice what an engine keeps for ``since``.
_REMEMBERED = 512


class StreamEnded(EngineUnreachable):
    """The event stream ended, or its connection broke: a reason to reconnect, not a failure."""


class Told(Protocol):
    """What a feed needs of its engine."""

    @property
    def node(self) -> Node:
        """The node of the engine."""
        ...

    def heard(self) -> None:
        """Note a sign of life."""
        ...

    def publish(self, event: Event) -> None:
        """Pass an event on to all that follow the cluster's events; never blocks."""
        ...


class SeenEvents:
    """The last events of an engine: those that ``since`` replays are not published twice."""

    def __init__(self) -> None:
        self._order: deque[tuple[int, str, str, str]] = deque()
        self._known: set[tuple[int, str, str, str]] = set()
        self.latest_nano = 0

    def is_new(self, event: Event) -> bool:
        """Whether *event* is new; it counts as seen from now on."""
        identity = identity_of(event)
        if identity in self._known:
            return False
        self._known.add(identity)
        self._order.append(identity)
        if len(self._order) > _REMEMBERED:
            self._known.discard(self._order.popleft())
        self.latest_nano = max(self.latest_nano, event.time_nano)
        return True


class EventFeed:
    """One subscription.

    Args:
        engine: whose events.
        seen: outlives subscriptions.
        own: is told of events on their way into the cache.

    Attributes:
        gap: whether events were lost since this was last set to ``False``.
    """

    def __init__(self, engine: Told, seen: SeenEvents, own: OwnChanges) -> None:
        self.gap = False
        self._engine = engine
        self._seen = seen
        self._own = own
        self._waiting: deque[Event] = deque()
        self._noted = Stale()
        self._news = trio.Event()
        self._opened = trio.Event()
        self._over = trio.Event()
        self._failure: EngineError | None = None
        self._running = trio.CancelScope()
        #: Whether events are taken for the cache.
        self._is_taken = True

    # ---- the subscription

    async def run(self, subscription: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> None:
        """Read events until they end, or ``end`` is called; does not raise.

        Args:
            subscription: entered when the engine has begun its answer.
        """
        name = self._engine.node.name
        try:
            with self._running:
                async with subscription as lines:
                    self._opened.set()
                    await self._read(lines)
        except EngineUnreachable as error:
            opened = self._opened.is_set()
            self._failure = StreamEnded(name, str(error)) if opened else error
        except EngineError as error:
            self._failure = error
        except Exception as error:
            log.exception("engine %s: cannot make sense of its events", name)
            self._failure = EngineError(name, f"unexpected: {error!r}")
        finally:
            if self._failure is None:
                self._failure = StreamEnded(name, f"the event stream of engine {name} ended")
            self._over.set()
            self._opened.set()

    async def _read(self, lines: AsyncIterator[bytes]) -> None:
        async for line in lines:
            self._engine.heard()
            event = read_event(line, self._engine.node)
            if event is not None and self._seen.is_new(event):
                self._take(event)

    def _take(self, event: Event) -> None:
        if not self._is_taken:
            self._engine.publish(event)
        elif len(self._waiting) >= _BACKLOG:
            self.gap = True
            self._news.set()
        else:
            self._waiting.append(event)
            self._own.arrived(event)
            self._news.set()

    def end(self) -> None:
        """Read no more."""
        self._running.cancel()

    async def wait_open(self) -> None:
        """Return when the engine has begun to tell of events.

        Raises:
            EngineError: it does not.
        """
        await self._opened.wait()
        if self._failure is not None:
            raise self._failure

    async def wait_ended(self) -> None:
        """Wait for the end.

        Raises:
            EngineError: always, with the reason.
        """
        await self._over.wait()
        assert self._failure is not None
        raise self._failure

    # ---- the side that keeps the cache current

    def begin(self) -> int:
        """From now on events are taken as they come; returns how many wait already."""
        self._own.is_followed = True
        return len(self._waiting)

    async def next_batch(self, limit: int) -> list[Event]:
        """Events that wait, in order, at least one; each is to be given to ``publish``.

        None where nothing waits, and there is a gap or something else is stale.

        Args:
            limit: how many at most.
        """
        await trio.lowlevel.checkpoint()
        while not (self._waiting or self.gap or self._noted != Stale()):
            self._news = trio.Event()
            await self._news.wait()
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def note(self, stale: Stale) -> None:
        """Have *stale* read again with the next batch."""
        self._noted |= stale
        self._news.set()

    def take_noted(self) -> Stale:
        """What was noted since this was asked last."""
        noted, self._noted = self._noted, Stale()
        return noted

    def publish(self, events: Sequence[Event], *, settled: bool) -> None:
        """Tell of *events*, which the taker is done with.

        Args:
            events: a batch.
            settled: whether the cache has what they tell of.
        """
        self._own.read(events, settled=settled)
        for event in events:
            self._engine.publish(event)

    def release(self) -> None:
        """Publish events as they come from now on, and at once those that wait."""
        self._is_taken = False
        self._own.end()
        while self._waiting:
            self._engine.publish(self._waiting.popleft())
