"""Follows one connected engine: its events, its liveness, and a periodic full refresh.

Owns the tasks of one connection.  ``Engine`` connects and interprets failures; a watch ends with an
error when the engine can no longer be followed.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from random import Random
from typing import Protocol
from urllib.parse import quote

import trio

from swarmcore.engine.cache.documents import Stale, given_name, what_is_stale
from swarmcore.engine.cache.refresh import Refresher
from swarmcore.engine.event_feed import EventFeed
from swarmcore.engine.intervals import Pace
from swarmcore.engine.pulse import Pinged, Pulse
from swarmcore.errors import EngineError
from swarmcore.http.messages import Answer, find_header
from swarmcore.json_values import reading_answer
from swarmcore.model import Event
from swarmcore.node import Node, made_seconds, read_events

log = logging.getLogger(__name__)

#: Maximum number of events processed together: a burst about one container costs one inspection.
_BATCH = 256
#: Interval for reading labels and resources; from Swarm classic.
_SPECS_SECONDS = 300.0


class Watched(Pinged, Protocol):
    """What a watch uses of its engine."""

    def image_named(self, name: str, image_id: str) -> None:
        """Report that the engine gave an image name; see ``EngineRegistry``."""
        ...

    async def ping(self) -> None:
        """Check that the engine answers; a failure is counted by the engine, not raised."""
        ...

    async def refresh_specs(self) -> None:
        """Read labels and resources again.

        Raises:
            EngineError: it failed, or another engine answers.
        """
        ...


class Watch:
    """Follows one engine on one connection.

    Args:
        engine: the engine.
        refresher: reads the engine into its node.
        feed: the engine's events.  It must be subscribed already, so that events during the first
            read are not lost.
        pace: intervals.
        random: source of randomness for intervals.
        listing: limits how many engines are read for the first time at once, so that a thousand
            engines do not starve client requests.
        pulse: pings the engine when it is silent; ``None`` if this watch does so itself.
    """

    def __init__(
        self,
        engine: Watched,
        refresher: Refresher,
        feed: EventFeed,
        pace: Pace,
        random: Random,
        listing: trio.CapacityLimiter,
        pulse: Pulse | None = None,
    ) -> None:
        self._engine = engine
        self._refresher = refresher
        self._feed = feed
        self._pace = pace
        self._random = random
        self._listing = listing
        self._pulse = pulse
        self._gap = False
        #: Number of queued events from before the lists were read, whose time is unknown.
        self._early = 0
        self._specs_due = trio.current_time() + _SPECS_SECONDS
        self._refresh_due = 0.0

    async def run(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Read everything, call *ready*, and follow the engine until that fails.

        Args:
            ready: called once, when the cache is complete; may raise ``EngineError``.

        Raises:
            EngineError: always, with the reason for the end.
        """
        failures: list[EngineError] = []
        async with trio.open_nursery() as nursery:

            async def until_it_fails(work: Callable[[], Awaitable[None]]) -> None:
                try:
                    await work()
                except EngineError as error:
                    failures.append(error)
                    nursery.cancel_scope.cancel()

            async def list_then_follow() -> None:
                async with self._listing:
                    await self._refresh(full=True)
                self._early = self._feed.begin()
                await ready()
                nursery.start_soon(self._break_silences)
                nursery.start_soon(self._recall)
                await self._keep_current()

            nursery.start_soon(until_it_fails, self._feed.wait_ended)
            nursery.start_soon(until_it_fails, list_then_follow)
        raise failures[0]

    async def _keep_current(self) -> None:
        """Update the cache for each batch of events, then publish the batch."""
        while True:
            batch: list[Event] = []
            with trio.move_on_at(self._refresh_due):
                batch = await self._feed.next_batch(_BATCH)
            settled = False
            try:
                settled = await self._read_stale(batch, self._feed.take_noted())
                for event in batch:
                    self._note_name(event)
            finally:
                self._feed.publish(batch, settled=settled)
            if self._gap or self._feed.gap or trio.current_time() >= self._refresh_due:
                await self._refresh(full=self._gap or self._feed.gap)

    def _note_name(self, event: Event) -> None:
        """Report an image name given by *event*, unless the event is older than this watch."""
        if self._early:
            self._early -= 1
        elif (given := given_name(event)) is not None:
            self._engine.image_named(*given)

    async def _read_stale(self, batch: list[Event], stale: Stale) -> bool:
        """Read what *batch* made stale and *stale*; return whether that succeeded."""
        for event in batch:
            note_volume(self._engine.node, event)
            stale |= what_is_stale(event)
        try:
            await self._refresher.stale(stale)
        except EngineError as error:
            log.warning("engine %s: reading everything again: %s", self._engine.node.name, error)
            self._gap = True
        if stale.specs:
            await self._engine.refresh_specs()
        return not self._gap

    async def _refresh(self, *, full: bool) -> None:
        self._gap = self._feed.gap = False  # events lost from here on set it again
        if trio.current_time() >= self._specs_due:
            await self._engine.refresh_specs()
            self._specs_due = trio.current_time() + _SPECS_SECONDS
        await self._refresher.everything(full=full)
        if full:
            self._engine.node.objects.volume_history.restart()
        wait = self._pace.until_refresh(self._engine.node.failures, self._random)
        self._refresh_due = trio.current_time() + wait

    async def _recall(self) -> None:
        """Read past events of volumes from the engine; failures are only logged."""
        if not self._engine.node.volumes:
            return  # nothing to learn, and volumes that are made from now on are followed
        try:
            await recall_volumes(self._engine.node, self._refresher.ask)
        except EngineError as error:
            log.info("engine %s: its events of the past are not known: %s",
                     self._engine.node.name, error)  # fmt: skip

    async def _break_silences(self) -> None:
        """Ping a silent engine, so that a hung engine is noticed without traffic."""
        while True:
            if self._engine.node.failures:
                await trio.sleep(self._pace.suspicious_seconds)
            else:
                wait = self._pace.until_probe(self._random) - self._silence
                if self._pulse is None:
                    await trio.sleep(max(wait, 0.0))
                else:
                    await self._pulse.until_doubtful(self._engine, self._pace, wait)
            if self._engine.node.failures or self._silence >= self._pace.least_silence:
                await self._engine.ping()

    @property
    def _silence(self) -> float:
        return trio.current_time() - self._engine.last_contact


# ---- use of volumes, from current and past events


async def recall_volumes(node: Node, ask: Callable[[str], Awaitable[Answer]]) -> None:
    """Learn which volumes of *node* have never been used, from past events of its engine.

    May take two seconds, as the engine's clock is only known with a resolution of one second.

    Args:
        node: a node whose events are already followed.
        ask: sends GET to a path; returns the engine's answer.

    Raises:
        EngineUnreachable: the engine does not answer.
        EngineError: its answer cannot be read.
    """
    answer = await ask("/volumes")
    moment = find_header(answer.headers, b"date")
    if not (answer.ok and moment):
        return
    with reading_answer(node.name, "GET /volumes"):
        until = int(parsedate_to_datetime(moment.decode("latin-1")).timestamp()) + 1
    filters = quote(json.dumps({"type": ["volume"]}))
    answer = await ask(f"/events?since=1&until={until}&filters={filters}")
    if answer.ok:
        with reading_answer(node.name, "GET /events"):
            lines = [json.loads(line) for line in answer.body.splitlines() if line.strip()]
            made_at = {name: made_seconds(volume) for name, volume in node.volumes.items()}
            node.objects.volume_history.recall(read_events(lines), made_at)


def note_volume(node: Node, event: Event) -> None:
    """Record a volume event of *node*'s engine, before the stale parts are read."""
    if event.type == "volume":
        node.objects.volume_history.note_event(event.verb, event.actor_id)
