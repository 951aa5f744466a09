"""Following one connected engine: its events, its silences, and the slow re-reading as a net.

Owns the tasks of one connection.  Does not know how to connect, nor what failures mean: it ends,
and says why, when the engine can no longer be followed.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Protocol

import trio

from swarmcore.engine.backoff import Pace
from swarmcore.engine.cache import Stale, given_name, what_is_stale
from swarmcore.engine.refresh import Refresher
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.events import identity_of, read_event
from swarmcore.model import Event
from swarmcore.node import Node

log = logging.getLogger(__name__)

#: Events that wait while the cache is being read; more than that is a gap.  An engine gives a slow
#: reader 100 ms per event before it loses events, so reading never waits for anything.
_BACKLOG = 2048
#: Events whose refreshes are joined: a burst about one container costs one inspection.
_BATCH = 256
#: Replayed events that are recognised: twice what an engine keeps for ``since``.
_REMEMBERED = 512
#: Labels and resources of an engine rarely change; classic's interval.
_SPECS_SECONDS = 300.0


class StreamEnded(EngineUnreachable):
    """The engine ended its event stream, or the connection broke: a reason to look, no failure."""


class Watched(Protocol):
    """What following needs of an engine."""

    @property
    def node(self) -> Node:
        """Is read."""
        ...

    @property
    def last_contact(self) -> float:
        """trio time of the last sign of life."""
        ...

    def contacted(self) -> None:
        """It just gave a sign of life."""
        ...

    def publish(self, event: Event) -> None:
        """Pass an event on to whoever follows the cluster; never blocks."""
        ...

    def image_named(self, name: str, image_id: str) -> None:
        """It says that it gave an image name just now; see ``EngineOwner``."""
        ...

    async def ping(self) -> None:
        """Ask for a sign of life; a failure is counted by the engine and not raised."""
        ...

    async def refresh_specs(self) -> None:
        """Read labels and resources again.

        Raises:
            EngineError: it did not work, or another engine answers.
        """
        ...


class SeenEvents:
    """The last events of an engine, so that those a ``since`` replays are not told twice."""

    def __init__(self) -> None:
        self._order: deque[tuple[int, str, str, str]] = deque()
        self._known: set[tuple[int, str, str, str]] = set()
        self.latest_nano = 0

    def is_new(self, event: Event) -> bool:
        """Whether *event* was not seen; from now on it was."""
        identity = identity_of(event)
        if identity in self._known:
            return False
        self._known.add(identity)
        self._order.append(identity)
        if len(self._order) > _REMEMBERED:
            self._known.discard(self._order.popleft())
        self.latest_nano = max(self.latest_nano, event.time_nano)
        return True


class Watch:
    """One connection's worth of following.

    Args:
        engine: who is followed.
        refresher: reads it into its node.
        seen: outlives connections.
        pace: intervals.
        random: spreads them.
        listing: how many engines may be read for the first time at once: a thousand together would
            starve the requests that come meanwhile.
    """

    def __init__(
        self,
        engine: Watched,
        refresher: Refresher,
        seen: SeenEvents,
        *,
        pace: Pace,
        random: Random,
        listing: trio.CapacityLimiter,
    ) -> None:
        self._engine = engine
        self._refresher = refresher
        self._seen = seen
        self._pace = pace
        self._random = random
        self._listing = listing
        self._gap = False
        #: Events that came before the lists were read, of a time that nobody knows.
        self._early = 0
        self._is_listed = False
        self._noted: trio.MemorySendChannel[Event | Stale] | None = None
        self._specs_due = trio.current_time() + _SPECS_SECONDS
        self._refresh_due = 0.0

    async def run(self, lines: AsyncIterator[bytes], ready: Callable[[], None]) -> None:
        """Read everything, call *ready*, and follow until that is impossible.

        Args:
            lines: the engine's events, subscribed to before this call, so that what happens while
                the lists are read is not lost.
            ready: called once, when the cache is complete.

        Raises:
            EngineError: always, with the reason of the end.
        """
        failures: list[EngineError] = []
        send, receive = trio.open_memory_channel[Event | Stale](_BACKLOG)
        self._noted = send
        async with send, receive, trio.open_nursery() as nursery:

            async def until_it_fails(work: Callable[[], Awaitable[None]]) -> None:
                try:
                    await work()
                except EngineError as error:
                    failures.append(error)
                    nursery.cancel_scope.cancel()

            async def list_then_follow() -> None:
                async with self._listing:
                    await self._refresh(full=True)
                self._is_listed = True
                ready()
                nursery.start_soon(self._break_silences)
                await self._keep_current(receive)

            nursery.start_soon(until_it_fails, lambda: self._read(lines, send))
            nursery.start_soon(until_it_fails, list_then_follow)
        raise failures[0]

    def note(self, stale: Stale) -> None:
        """Read *stale* again with the next batch; without effect once following has ended."""
        if self._noted is not None:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                self._enqueue(stale, self._noted)

    async def _read(
        self, lines: AsyncIterator[bytes], send: "trio.MemorySendChannel[Event | Stale]"
    ) -> None:
        node = self._engine.node
        try:
            async for line in lines:
                self._engine.contacted()
                event = read_event(line, node)
                if event is not None and self._seen.is_new(event):
                    self._enqueue(event, send)
        except EngineUnreachable as error:
            raise StreamEnded(node.name, str(error)) from error
        raise StreamEnded(node.name, f"the event stream of engine {node.name} ended")

    def _enqueue(self, news: Event | Stale, send: "trio.MemorySendChannel[Event | Stale]") -> None:
        try:
            send.send_nowait(news)
            self._early += isinstance(news, Event) and not self._is_listed
        except trio.WouldBlock:
            self._gap = True

    async def _keep_current(self, events: "trio.MemoryReceiveChannel[Event | Stale]") -> None:
        """Bring the cache up to date with each batch of events, then let the events go on."""
        while True:
            batch = await self._next_batch(events)
            await self._read_stale(batch)
            for event in batch:
                if isinstance(event, Event):
                    self._note_name(event)
                    self._engine.publish(event)
            if self._gap or trio.current_time() >= self._refresh_due:
                await self._refresh(full=self._gap)

    def _note_name(self, event: Event) -> None:
        """Pass on that an image name was given, unless that was while nobody looked."""
        if self._early:
            self._early -= 1
        elif (given := given_name(event)) is not None:
            self._engine.image_named(*given)

    async def _next_batch(
        self, events: "trio.MemoryReceiveChannel[Event | Stale]"
    ) -> list[Event | Stale]:
        """Events that wait, in order; none when it is time to refresh."""
        batch: list[Event | Stale] = []
        with trio.move_on_at(self._refresh_due):
            batch.append(await events.receive())
        while batch and len(batch) < _BATCH:
            try:
                batch.append(events.receive_nowait())
            except trio.WouldBlock:
                break
        return batch

    async def _read_stale(self, batch: list[Event | Stale]) -> None:
        stale = Stale()
        for news in batch:
            stale |= what_is_stale(news) if isinstance(news, Event) else news
        try:
            await self._refresher.stale(stale)
        except EngineError as error:
            log.warning("engine %s: reading everything again: %s", self._engine.node.name, error)
            self._gap = True
        if stale.specs:
            await self._engine.refresh_specs()

    async def _refresh(self, *, full: bool) -> None:
        self._gap = False  # an event lost from here on makes another one
        if trio.current_time() >= self._specs_due:
            await self._engine.refresh_specs()
            self._specs_due = trio.current_time() + _SPECS_SECONDS
        await self._refresher.everything(full=full)
        wait = self._pace.until_refresh(self._engine.node.failures, self._random)
        self._refresh_due = trio.current_time() + wait

    async def _break_silences(self) -> None:
        """Ping an engine that says nothing, so that one that hangs is noticed without traffic."""
        while True:
            if self._engine.node.failures:
                wait = self._pace.suspicious_seconds
            else:
                silence = trio.current_time() - self._engine.last_contact
                wait = self._pace.until_probe(self._random) - silence
            if wait > 0:
                await trio.sleep(wait)
            if self._engine.node.failures or self._is_silent():
                await self._engine.ping()

    def _is_silent(self) -> bool:
        silence = trio.current_time() - self._engine.last_contact
        return silence >= self._pace.probe_seconds * 0.7
