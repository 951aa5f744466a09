"""A cluster of embedded engines on trio's mock clock, without sockets, and failures of them.

A ``Line`` connects the manager with an engine: requests take some time on it, and continue on the
engine when the line breaks.  One seed determines all events, except the order in which trio runs
its tasks.
"""

from contextlib import asynccontextmanager
from functools import partial

import trio
from swarmcore_filter_health import HealthFilter
from swarmcore_filter_port import PortFilter
from swarmcore_strategy_spread import Spread

from swarmcore.cluster import Cluster, ClusterSettings, open_cluster
from swarmcore.engine import Engine
from swarmcore.engine.intervals import Pace
from swarmcore.errors import EngineUnreachable, SwarmError
from swarmcore.http.messages import Client, error_answer
from swarmcore.http.strict_json import parse_body
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_request
from tests.doubles import Deaf, ScriptedHTTP

#: Hundredths of a second that a message is on its way.
LATENCY = (1, 10)
#: The same, that an engine works on a create: long enough for many to be caught in the middle.
WORK = (0, 500)


class Exchange:
    """One request to an embedded engine, and its answer."""

    def __init__(self, request, body):
        self.request = request
        self.answer = None
        self.over = trio.Event()
        self._body = body

    async def read_json(self):
        return parse_body(self._body or b"", "application/json")

    async def send(self, answer):
        if not self.over.is_set():
            self.answer = answer
            self.over.set()

    async def take_over(self, head):
        self.over.set()

    @asynccontextmanager
    async def watching(self):
        yield


class EventExchange(Exchange):
    """A request for events, which is answered line by line."""

    def __init__(self, request):
        super().__init__(request, None)
        self.lines, self.receive = trio.open_memory_channel(10_000)

    async def send(self, answer):
        self.lines.close()

    @asynccontextmanager
    async def stream(self, status, headers):
        async def send(line):
            try:
                self.lines.send_nowait(line)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                raise EngineUnreachable("", "nobody follows any more") from None

        yield send


class Line:
    """The connection to one engine; replaces ``HTTPClient``."""

    def __init__(self, engine, random, nursery):
        self.engine = engine
        self.name = engine.name
        self.is_up = True
        self._random = random
        self._nursery = nursery
        self._open = set()
        self._work = set()

    # ---- what a storm does

    def cut(self):
        """Break all connections and refuse new ones; the engine continues."""
        self.is_up = False
        for exchange in self._open:
            exchange.over.set()
            if isinstance(exchange, EventExchange):
                exchange.lines.close()

    def crash(self):
        """Cut the line, and stop the engine in the middle of its work."""
        self.cut()
        for scope in self._work:
            scope.cancel()

    def mend(self):
        """Accept new connections again."""
        self.is_up = True

    def restart(self):
        """Accept new connections again; the engine has forgotten earlier events."""
        self.engine.state.forget_events()
        self.mend()

    # ---- HTTPClient

    async def request(self, method, target, *, body=None, headers=(), permit=None):
        exchange = Exchange(a_request(method, target, headers=headers), body)
        async with self._carrying(exchange):
            await exchange.over.wait()
            await self._travel()
        if exchange.answer is None:
            raise EngineUnreachable(self.engine.name, "connection reset", sent=True)
        return exchange.answer

    @asynccontextmanager
    async def events(self, target):
        exchange = EventExchange(a_request("GET", target))
        async with self._carrying(exchange), exchange.receive:
            yield self._lines(exchange)

    # ---- steps

    @asynccontextmanager
    async def _carrying(self, exchange):
        await self._travel()
        if not self.is_up:
            raise EngineUnreachable(self.engine.name, "connection refused")
        self._open.add(exchange)
        self._nursery.start_soon(self._serve, exchange)
        try:
            yield
        finally:
            self._open.discard(exchange)

    async def _serve(self, exchange):
        """Run the engine's side of a request; it ends with the work, whoever waits for it."""
        with trio.CancelScope() as scope:
            self._work.add(scope)
            try:
                if exchange.request.method == "POST":
                    await trio.sleep(self._random.randint(*WORK) / 100)
                await self.engine.answer(exchange)
            except EngineUnreachable:
                pass  # nobody follows its events any more
            except SwarmError as error:
                await exchange.send(error_answer(error.status, str(error)))
        self._work.discard(scope)

    async def _lines(self, exchange):
        async for line in exchange.receive:
            await self._travel()
            yield line
        raise EngineUnreachable(self.engine.name, "connection reset", sent=True)

    async def _travel(self):
        await trio.sleep(self._random.randint(*LATENCY) / 100)


class Fleet:
    """A running cluster, its engines, and the lines between them."""

    def __init__(self, cluster, lines):
        self.cluster = cluster
        self.lines = lines
        self.engines = [line.engine for line in lines]

    async def create(self, config):
        """Create a container as a client."""
        request = a_request("POST", "/v1.51/containers/create", client=Client("127.0.0.1"))
        return await self.cluster.create_container(config, request)

    def left_behind(self):
        """Return the reservations on all nodes."""
        return [name for node in self.cluster.nodes() for name in node.reservations]

    async def wait_all_healthy(self):
        """Wait until every engine is healthy."""
        while not all(node.health == 100 for node in self.cluster.nodes()):  # noqa: ASYNC110
            await trio.sleep(0.1)  # the clock is a mock


async def serve(engine, task_status):
    """Run *engine* without its socket, which no client uses."""
    async with engine.serving():
        task_status.started()
        await trio.sleep_forever()


@asynccontextmanager
async def open_fleet(random, engines):
    """Run a cluster of *engines*, all healthy."""
    async with trio.open_nursery() as nursery:
        for engine in engines:
            await nursery.start(serve, engine)
        lines = {str(engine.entry.address): Line(engine, random, nursery) for engine in engines}
        listing = trio.CapacityLimiter(16)

        def make_engine(entry, owner):
            return Engine(
                entry, ScriptedHTTP(lines[str(entry.address)]), owner, pace=Pace(), overcommit=0.0,
                random=random, listing=listing,
            )  # fmt: skip

        cluster = Cluster(
            Scheduler(Spread(), [HealthFilter(), PortFilter()]),
            make_engine,
            Deaf(),
            ClusterSettings(name="manager"),
            random,
        )
        fleet = Fleet(cluster, list(lines.values()))
        async with open_cluster(cluster):
            cluster.membership.entries([engine.entry for engine in engines])
            await fleet.wait_all_healthy()
            yield fleet
        nursery.cancel_scope.cancel()


class Storm:
    """Breaks engines in all known ways, each for some time.

    Attributes:
        is_over: nothing is broken any more, and every claim of an unknown outcome has expired.
    """

    def __init__(self, fleet, random, seconds):
        self.is_over = False
        self._fleet = fleet
        self._random = random
        self._seconds = seconds

    async def blow(self):
        """Break engines for some time, then repair all of them."""
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(self._seconds):
                while True:
                    line = self._random.choice(self._fleet.lines)
                    nursery.start_soon(self._random.choice(self._kinds), line)
                    await trio.sleep(self._random.uniform(0, 0.5))
        for engine in self._fleet.engines:
            engine.behave()
        await self._fleet.wait_all_healthy()
        await trio.sleep(75)  # claims whose outcome nobody saw are kept for a minute
        self.is_over = True

    @property
    def _kinds(self):
        create, some = "POST /containers/create", partial(self._random.randint, 1, 8)
        return [
            self._cut, self._crash, self._pause, self._blink,
            self._fault(lambda e: e.fail(create, 500, "no space left on device", times=some())),
            self._fault(lambda e: e.fail(create, 500, "scripted failure", times=some())),
            self._fault(lambda e: e.drop(create, times=some())),
            self._fault(lambda e: e.lose(create, times=some())),
            self._fault(lambda e: e.delay(create, self._random.uniform(1, 20), times=some())),
            self._fault(lambda e: e.fail("GET /containers/*/json", times=some())),
            self._fault(lambda e: e.drop("GET /containers/json", times=some())),
        ]  # fmt: skip

    def _fault(self, have):
        async def strike(line):
            have(line.engine)

        return strike

    async def _pause(self, line):
        line.engine.pause()
        await trio.sleep(self._random.uniform(1, 30))
        line.engine.resume()

    async def _blink(self, line):
        line.cut()
        line.mend()

    async def _cut(self, line):
        line.cut()
        await trio.sleep(self._random.uniform(0, 15))
        line.mend()

    async def _crash(self, line):
        line.crash()
        await trio.sleep(self._random.uniform(0, 10))
        line.restart()


def claims_of(engine):
    """Return the claims of the containers of *engine* by its own data: memory and host ports."""
    memory, ports = 0, []
    for record in engine.containers:
        memory += record.host_config["Memory"]
        for bindings in record.host_config["PortBindings"].values():
            ports += [binding["HostPort"] for binding in bindings]
    return memory, ports
