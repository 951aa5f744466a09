"""One Docker Engine: its connection, its state and its node, which only this object changes.

Decides whether the engine is pending, healthy, unhealthy or disconnected.  ``intervals`` has the
timing, ``specs`` and ``documents`` interpret answers, ``refresh`` reads the engine into its node.
"""

import logging
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from random import Random

import trio

from swarmcore import clock
from swarmcore.engine.cache.cached_objects import CachedObjects
from swarmcore.engine.cache.documents import Stale
from swarmcore.engine.cache.refresh import Refresher
from swarmcore.engine.client import EngineClient
from swarmcore.engine.event_feed import EventFeed, SeenEvents, StreamEnded
from swarmcore.engine.identity import ask_specs, resolve
from swarmcore.engine.intervals import Pace
from swarmcore.engine.liveness import SilenceDetector
from swarmcore.engine.pulse import Pulse
from swarmcore.engine.registry import EngineRegistry
from swarmcore.engine.specs import Specs
from swarmcore.engine.watch import Watch
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import HTTPClient, Lifeline
from swarmcore.http.messages import Answer, Headers
from swarmcore.model import Entry, Event, State
from swarmcore.node import Node
from swarmcore.protocols import AnswerStream, Upload
from swarmcore.versions import CEILING, ApiVersion, clamp

log = logging.getLogger(__name__)

#: Time limits of requests; a create may copy the content of an image's volumes.  The last one is
#: that of each request while connecting.
_CALL_SECONDS, _CREATE_SECONDS, _CONNECT_SECONDS = 30.0, 120.0, 10.0
#: Shortest pause between two attempts to connect.
_CALM_SECONDS = 0.25
#: After a connection that lasted this long, the engine is reconnected without a pause.
_GOOD_SECONDS = 5.0


class Engine(CachedObjects):
    """One engine, from the moment discovery lists it until it leaves the list.

    Args:
        entry: its address, and discovery's labels for it.
        http: sends requests to the engine, the manager's own and those of clients.
        owner: is notified of all changes, and admits the engine.
        pace: intervals and the failure limit.
        overcommit: fraction by which placements may exceed the resources, 0.05 for 5 %.
        cpu_shares_are_cpus: whether containers' CPU shares count as CPUs, as in Swarm classic.
        random: source of randomness for intervals.
        listing: limits how many engines are read for the first time at once; shared by all engines.
        lifeline: monitors the connections of *http*.
        pulse: pings silent engines; ``None`` if each is pinged by a task of its own.
    """

    def __init__(
        self,
        entry: Entry,
        http: HTTPClient,
        owner: "EngineRegistry[Engine]",
        *,
        pace: Pace,
        overcommit: float,
        cpu_shares_are_cpus: bool = False,
        random: Random,
        listing: trio.CapacityLimiter,
        lifeline: Lifeline | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self.entry = entry
        self.http = http
        self.last_contact = 0.0
        self._owner = owner
        self._pace = pace
        self._overcommit = overcommit
        self._cpu_shares_are_cpus = cpu_shares_are_cpus
        self._random = random
        self._listing = listing
        self._pulse = pulse
        self._engine_id = ""
        self._counted: weakref.ref[EngineError] | None = None  # its traceback would hold much
        self._logged = ""  # why it was pending
        lifeline = lifeline or Lifeline()
        self._silence = SilenceDetector(lifeline, pace.failure_limit)
        self._following = trio.CancelScope()
        self._feed: EventFeed | None = None
        self._client = EngineClient(http, self, lifeline)
        self.probe = self._client.probe
        self._wake = trio.Event()
        super().__init__(self._forget_everything())

    def __repr__(self) -> str:
        return f"<Engine {self.label} {self.node.state.value}>"

    @property
    def label(self) -> str:
        """The engine's name, or its address if the name is unknown; for logs and errors."""
        return self.node.name or str(self.entry.address)

    @property
    def engine_id(self) -> str:
        """The engine's id; empty while unknown."""
        return self._engine_id

    # ---- requests

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
        permit: Callable[[], None] | None = None,
    ) -> Answer:
        """Send a request; see ``protocols.Engine``, and ``HTTPClient.call`` for *permit*."""
        seconds = _CREATE_SECONDS if method == "POST" else _CALL_SECONDS
        target = self.target(path, version)
        return await self._client.ask(
            method, target, body=body, headers=headers, seconds=seconds, permit=permit
        )

    def open(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AbstractAsyncContextManager[AnswerStream]:
        """Send a request and read the answer as it arrives; see ``protocols.Engine``."""
        return self._client.open(method, self.target(path, version), body=body, headers=headers)

    def upload(
        self, method: str, path: str, *, headers: Headers = (), version: ApiVersion | None = None
    ) -> AbstractAsyncContextManager[Upload]:
        """Send a body in pieces; see ``protocols.Engine``."""
        return self._client.upload(method, self.target(path, version), headers=headers)

    def target(self, path: str, version: ApiVersion | None = None) -> str:
        """*path* with the version prefix closest to *version* that the engine accepts."""
        spoken = clamp(
            version or CEILING, self.node.min_api_version, min(self.node.api_version, CEILING)
        )
        return f"/v{spoken}{path}"

    def note_stale(self, stale: Stale) -> None:
        """Read *stale* again soon, because of an event of another engine."""
        if self._feed is not None:
            self._feed.note(stale)

    async def ping(self) -> None:
        """Check that the engine answers; a failure is counted, not raised."""
        await self._client.ping(self._pace.ping_seconds)

    # ---- health

    def heard(self) -> None:
        """Record data on an existing connection; new connections may still fail."""
        self.last_contact = trio.current_time()
        self.node.updated_at = int(clock.unix_seconds())

    def contacted(self) -> None:
        """Record that the engine answered a request."""
        self.heard()
        if not self._silence.broken():
            return
        self.node.failures = 0
        if self.node.state is State.HEALTHY:
            self.node.error = ""
        else:
            self._wake.set()

    def lost_contact(self, error: EngineError) -> None:
        """Record that the engine could not be reached; repeated failures make it unhealthy.

        Args:
            error: the failure; one error object counts once even if it is reported repeatedly.
        """
        if self._counted is not None and self._counted() is error:
            return
        self._counted = weakref.ref(error)
        self.node.failures += 1
        self.node.error = str(error)
        self.node.updated_at = int(clock.unix_seconds())
        self._silence.failed(error)
        if self.node.state is State.HEALTHY and self.node.failures >= self._pace.failure_limit:
            self._flag_unhealthy(str(error))
        if self.node.state is not State.HEALTHY and self._silence.proves_death:
            self.http.abandon()  # the engine will send nothing on open streams
            self._end_feed()

    def _flag_unhealthy(self, reason: str) -> None:
        """Become unhealthy: no containers are placed here; open streams continue."""
        log.warning("engine %s: flagging as unhealthy, failed %d times: %s",
                    self.label, self.node.failures, reason)  # fmt: skip
        self.node.state = State.UNHEALTHY
        self._following.cancel()
        self._owner.lost(self, reason)

    def _end_feed(self) -> None:
        if self._feed is not None:
            self._feed.end()

    def retry_soon(self) -> None:
        """Try to connect soon, as the reason for the last failure may have gone."""
        self._wake.set()

    # ---- connecting

    async def run(self) -> None:
        """Keep the engine connected until cancelled."""
        attempts = 0
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    attempts = 0 if await self._follow_once(nursery) else attempts + 1
                    if attempts:
                        await self._pause(attempts)
        finally:
            with trio.move_on_after(2, shield=True):
                await self._client.aclose()

    async def _pause(self, attempts: int) -> None:
        self._wake = trio.Event()
        wait = self._pace.until_retry(attempts, known=self._known, random=self._random)
        await trio.sleep(min(wait, _CALM_SECONDS))
        with trio.move_on_after(max(0.0, wait - _CALM_SECONDS)):
            await self._wake.wait()

    async def _follow_once(self, feeds: trio.Nursery) -> bool:
        """Connect and follow the engine until that ends; return whether it worked for a while."""
        started = trio.current_time()
        try:
            with trio.CancelScope() as self._following:
                await self._follow(feeds)
        except EngineError as error:
            self._connection_ended(error)
        except Exception as error:
            log.exception("engine %s: internal error; connecting again", self.label)
            self._connection_ended(EngineError(self.label, f"internal error: {error!r}"))
        healthy = self.node.state is State.HEALTHY and not self.node.failures
        return healthy and trio.current_time() - started > _GOOD_SECONDS

    def _connection_ended(self, error: EngineError) -> None:
        if self.node.state is State.HEALTHY and isinstance(error, StreamEnded):
            log.info("engine %s: %s; connecting again", self.label, error)
            return
        self.lost_contact(error)
        if self.node.state is State.PENDING:
            level = logging.DEBUG if str(error) == self._logged else logging.WARNING
            self._logged = str(error)
            log.log(level, "engine %s is pending: %s", self.entry.address, error)
            if self._engine_id:
                self._give_up_identity()

    async def _follow(self, feeds: trio.Nursery) -> None:
        """Follow the engine on one connection: identity, events, lists, then changes.

        Args:
            feeds: nursery for the event stream, which may outlive this connection.

        Raises:
            EngineError: always, with the reason for the end.
        """
        await self._client.knock(_CONNECT_SECONDS)
        await self.refresh_specs()
        path = self._seen.path(clock.unix_seconds() - self.node.skew_seconds)
        feed = EventFeed(self, self._seen, self._events)
        feeds.start_soon(feed.run, self._client.events(self.target(path)))
        try:
            await self._begin_with(feed)
            watch = Watch(
                self, self._refresher, feed, self._pace, self._random, self._listing, self._pulse
            )
            await watch.run(self._become_healthy)
        finally:
            feed.release()
            if self._feed is not feed:
                feed.end()

    async def _begin_with(self, feed: EventFeed) -> None:
        """Replace the previous event stream by *feed*, without losing or repeating events.

        Raises:
            EngineError: the event stream does not start.
        """
        with trio.move_on_after(_CONNECT_SECONDS):
            await feed.wait_open()
            self._end_feed()
            self._feed = feed
            return
        text = f"engine {self.label} does not start its event stream"
        raise EngineUnreachable(self.label, text, silent=True)

    async def refresh_specs(self) -> None:
        """Read identity, resources and labels again.

        Raises:
            EngineError: no answer, not a Docker Engine, another identity, or not admitted.
        """
        self.node.ip = await resolve(self.entry.address) or self.node.ip
        specs = await ask_specs(
            self.entry, lambda target: self._client.ask("GET", target, seconds=_CONNECT_SECONDS)
        )
        self._identify(specs)
        specs.describe(self.node)
        self.http.name = self.label
        self._owner.described(self)

    async def _become_healthy(self) -> None:
        await self._owner.clear_duplicates(self)
        await trio.lowlevel.checkpoint_if_cancelled()  # the engine may have just been lost
        before = self.node.state
        if before is State.DISCONNECTED:
            return
        self.node.state = State.HEALTHY
        self.node.failures = 0
        self.node.error = ""
        self._known = True
        if before is not State.HEALTHY:
            log.info("engine %s at %s is healthy", self.label, self.entry.address)
            self._owner.joined(self, again=before is State.UNHEALTHY)

    def publish(self, event: Event) -> None:
        """Publish an event in the cluster."""
        self._owner.publish(event)

    def image_named(self, name: str, image_id: str) -> None:
        """Report that the engine gave an image name."""
        self._owner.image_named(name, image_id, self.node)

    # ---- identity

    def _identify(self, specs: Specs) -> None:
        if self._engine_id and self._engine_id != specs.engine_id:
            text = (
                f"Engine (ID: {self._engine_id}, Addr: {self.entry.address}) shows up with another"
                f" ID:{specs.engine_id}. It is validated again as a new engine."
            )
            self._give_up_identity()
            raise EngineError(str(self.entry.address), text)
        if not self._engine_id:
            for note in specs.notes:
                log.warning("engine %s at %s: %s", specs.name, self.entry.address, note)
            self._owner.admit(self, specs)
            self._engine_id = specs.engine_id
            self.node.id = f"{specs.engine_id}|{self.entry.address}"

    def _give_up_identity(self) -> None:
        """Clear the engine's state and make it pending; the last error is kept."""
        if self.node.state is State.HEALTHY:
            self._owner.lost(self, self.node.error or "it became another engine")
        self._end_feed()
        self._refresher.close()
        self._owner.withdraw(self)
        self.node.state = State.DISCONNECTED
        failures, error = self.node.failures, self.node.error
        self._refresher = self._forget_everything()
        self.node.failures, self.node.error = failures, error

    def _forget_everything(self) -> Refresher:
        """Replace the node by an empty one; return its refresher."""
        name = str(self.entry.address)
        self.node = Node(name, name, overcommit=self._overcommit, spanning=self._owner.spanning)
        self._owner.adopt(self.node)
        self.http.name = name
        self.node.failure_limit = self._pace.failure_limit
        self.node.cpu_shares_are_cpus = self._cpu_shares_are_cpus
        self._engine_id = ""
        self._known = False  # whether it has been healthy with its current identity
        self._seen = SeenEvents()
        return Refresher(self.node, self._get, self._get_several, self._owner)

    async def _get(self, path: str) -> Answer:
        return await self._client.ask("GET", self.target(path), seconds=_CALL_SECONDS)

    async def _get_several(self, paths: Sequence[str]) -> list[Answer]:
        return await self._client.get_several([*map(self.target, paths)], seconds=_CALL_SECONDS)

    def leave(self) -> None:
        """Leave the cluster; nothing changes on the engine itself."""
        was, self.node.state = self.node.state, State.DISCONNECTED
        self._following.cancel()
        self._end_feed()
        self._client.close()
        if was is State.HEALTHY:
            self._owner.lost(self, "it left the cluster")
        self._refresher.close()
        self._owner.withdraw(self)
