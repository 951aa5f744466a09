"""One subscription to an engine's events, which lasts as long as the engine sends them.

While the cache is kept current, an event is published once the cache reflects it.  When the engine
does not answer requests any more, events are published as they arrive.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from swarmcore.engine.cache.documents import Stale
from swarmcore.engine.cache.own_changes import OwnChanges
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.events import identity_of, read_event
from swarmcore.model import Event
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: Maximum number of events that wait while the cache is read; beyond it events are lost.  Engines
#: drop events of a reader that takes over 100 ms per event, so reading the stream never waits.
_BACKLOG = 2048
#: How many events are remembered to recognise replayed ones; twice what an engine replays.
_REMEMBERED = 512
_NANO = 1_000_000_000
#: What is asked for if the engine's clock was set back.
_SET_BACK_SECONDS = 300.0
#: The engine's clock is only known as well as the skew that is tolerated.
_TOLERATED_NANO = 5 * _NANO


class StreamEnded(EngineUnreachable):
    """The event stream ended or its connection broke: reconnect, but do not count a failure."""


class Told(Protocol):
    """What a feed uses of its engine."""

    @property
    def node(self) -> Node:
        """The node of the engine."""
        ...

    def heard(self) -> None:
        """Record that the engine sent something."""
        ...

    def publish(self, event: Event) -> None:
        """Publish an event in the cluster; never blocks."""
        ...


class SeenEvents:
    """The latest events of an engine, so that events replayed by ``since`` are not repeated."""

    def __init__(self) -> None:
        self._order: deque[tuple[int, str, str, str]] = deque()
        self._known: set[tuple[int, str, str, str]] = set()
        self._latest_nano = 0

    def path(self, engine_seconds: float) -> str:
        """The path that subscribes to events from the latest one on.

        If the engine's clock has been set back meanwhile, its events of the last minutes are asked
        for, because nobody knows which of them are new.

        Args:
            engine_seconds: the engine's clock in Unix seconds.
        """
        since = self._latest_nano
        if since > engine_seconds * _NANO + _TOLERATED_NANO:
            since = int((engine_seconds - _SET_BACK_SECONDS) * _NANO)
        seconds, fraction = divmod(since, _NANO)
        return f"/events?since={seconds}.{fraction:09d}" if since else "/events"

    def is_new(self, event: Event) -> bool:
        """Whether *event* has not been seen; it counts as seen afterwards."""
        identity = identity_of(event)
        if identity in self._known:
            return False
        self._known.add(identity)
        self._order.append(identity)
        if len(self._order) > _REMEMBERED:
            self._known.discard(self._order.popleft())
        self._latest_nano = event.time_nano
        return True


class EventFeed:
    """One subscription to an engine's events.

    Args:
        engine: the engine.
        seen: recognises replayed events; shared by successive subscriptions.
        own: the manager's own changes, which wait for their events.

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
        #: Whether events are queued for the cache; if not, they are published at once.
        self._is_taken = True

    # ---- the subscription

    async def run(self, subscription: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> None:
        """Read events until the stream ends or ``end`` is called; does not raise.

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
            log.exception("engine %s: reading its events failed with an internal error", name)
            self._failure = EngineError(name, f"internal error while reading events: {error!r}")
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
        """Stop reading."""
        self._running.cancel()

    async def wait_open(self) -> None:
        """Wait until the engine has begun its answer.

        Raises:
            EngineError: the subscription failed.
        """
        await self._opened.wait()
        if self._failure is not None:
            raise self._failure

    async def wait_ended(self) -> None:
        """Wait until the subscription has ended.

        Raises:
            EngineError: always, with the reason.
        """
        await self._over.wait()
        assert self._failure is not None
        raise self._failure

    # ---- for keeping the cache current

    def begin(self) -> int:
        """Start to follow events; return how many are already queued."""
        self._own.is_followed = True
        return len(self._waiting)

    async def next_batch(self, limit: int) -> list[Event]:
        """Wait for queued events; pass each to ``publish`` afterwards.

        Args:
            limit: the maximum number of events.

        Returns:
            The events in order; empty if events were lost or if something else is stale.
        """
        await trio.lowlevel.checkpoint()
        while not (self._waiting or self.gap or self._noted != Stale()):
            self._news = trio.Event()
            await self._news.wait()
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def note(self, stale: Stale) -> None:
        """Add *stale* to what must be read with the next batch."""
        self._noted |= stale
        self._news.set()

    def take_noted(self) -> Stale:
        """Return and clear what ``note`` has added."""
        noted, self._noted = self._noted, Stale()
        return noted

    def publish(self, events: Sequence[Event], *, settled: bool) -> None:
        """Publish *events*, which have been processed.

        Args:
            events: a batch from ``next_batch``.
            settled: whether the cache reflects them.
        """
        self._own.read(events, settled=settled)
        for event in events:
            self._engine.publish(event)

    def release(self) -> None:
        """Publish the queued events, and from now on each event as it arrives."""
        self._is_taken = False
        self._own.end()
        while self._waiting:
            self._engine.publish(self._waiting.popleft())
