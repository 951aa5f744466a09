"""A cluster of engines in memory, on trio's mock clock; see ``tests.scripted_engine``."""

from contextlib import asynccontextmanager
from random import Random

import trio

from swarmcore.addresses import parse_address
from swarmcore.cluster import Cluster, ClusterSettings, open_cluster
from swarmcore.engine import Engine
from swarmcore.engine.intervals import Pace
from swarmcore.http.messages import Client
from swarmcore.model import Entry, State
from swarmcore.node import Spanning
from swarmcore.protocols import Aspect, Rule
from swarmcore.scheduler import FailureHistory, Scheduler
from swarmcore.testing.builders import a_request
from tests.doubles import ScriptedHTTP


class Recorder:
    """The owner of an engine and listener of the cluster; it records its calls."""

    def __init__(self):
        self.heard = []
        self.lists = []
        self.named = []
        self.events = []
        self.names = {}
        self.spanning = Spanning()
        self.fenced = []
        self.needed = lambda node: 0.0

    def adopt(self, node):
        pass

    def admit(self, engine, specs):
        self.heard.append(f"admit {specs.engine_id}")

    def withdraw(self, engine):
        self.heard.append("withdraw")

    def described(self, engine):
        pass

    async def clear_duplicates(self, engine):
        pass

    def joined(self, engine, *, again):
        self.heard.append("joined again" if again else "joined")

    def lost(self, engine, reason):
        self.heard.append("lost")

    def publish(self, event):
        self.events.append(event)

    def container_put(self, container):
        self.names[container.id] = container.name

    def container_dropped(self, container):
        del self.names[container.id]

    def images_read(self, node, images, *, live):
        self.lists.append(("live" if live else "found", sorted(images)))

    async def settle_image_names(self, node):
        pass

    def image_named(self, name, image_id, node):
        self.named.append((name, image_id))

    def spanning_changed(self, node, keys, stale):
        self.heard.append(f"spanning {sorted(keys)}")

    def engine_joined(self, node):
        self.heard.append(f"joined {node.name}")

    def seconds_to_stay(self, node):
        return self.needed(node)

    def engine_lost(self, node, reason):
        self.heard.append(f"lost {node.name}")

    def fences(self, node):
        return self.fenced

    def container_placed(self, config, node):
        self.heard.append(f"placed {config.name} on {node.name}")


def make_engine(scripted, owner, *, entry=None, pace=None, listing=None, random=None):
    """Make the manager's engine for *scripted*."""
    return Engine(
        entry or Entry(parse_address(scripted.address)),
        ScriptedHTTP(scripted),
        owner,
        pace=pace or Pace(),
        overcommit=0.0,
        random=random or Random(1),
        listing=listing or trio.CapacityLimiter(16),
    )


class Spread:
    """A strategy that prefers nodes with few containers."""

    name = "spread"
    reads = (Aspect.CONTAINERS,)

    def key(self, config):
        return ""

    def weigh(self, config, node):
        return (-node.container_count,)


class HealthAndPorts:
    """The rules of the bundled filters ``health`` and ``port``."""

    name = "health-and-ports"

    def rules(self, config):
        yield Rule(
            "healthy",
            lambda node: None if node.health else "unhealthy",
            key="healthy",
            reads=(Aspect.HEALTH,),
        )
        for port in config.claim.ports:
            yield Rule(
                f"port {port}",
                lambda node, port=port: _holder(node, port),
                key=port,
                reads=(Aspect.CONTAINERS,),
            )


def _holder(node, port):
    clash = node.port_clash((port,))
    return clash[1] if clash else None


class Fleet:
    """A running cluster of scripted engines."""

    def __init__(self, scripted, settings, leadership=None):
        self.scripted = {one.address: one for one in scripted}
        self.listener = Recorder()
        listing = trio.CapacityLimiter(16)
        self.failures = FailureHistory(trio.current_time)
        self.cluster = Cluster(
            Scheduler(Spread(), [HealthAndPorts()], failures=self.failures),
            lambda entry, owner: make_engine(
                self.scripted[str(entry.address)], owner, entry=entry, listing=listing
            ),
            self.listener,
            settings,
            Random(1),
            leadership=leadership,
        )

    def discover(self, *scripted):
        """Set discovery's list to these engines."""
        self.scripted.update({one.address: one for one in scripted})
        self.cluster.membership.entries([Entry(parse_address(one.address)) for one in scripted])

    def node(self, scripted):
        """Return the node of an engine."""
        return next(n for n in self.cluster.nodes() if n.address == scripted.address)

    def states(self):
        """Return the last number of the address and the state of each node, in order."""
        return [
            (node.address.split(".")[3][:-5], node.state.value) for node in self.cluster.nodes()
        ]

    async def wait_healthy(self, *scripted):
        """Wait until exactly these engines are healthy."""
        for one in scripted:
            await wait_for(lambda one=one: self.node(one).state is State.HEALTHY)

    async def create(self, config, *, client="127.0.0.1", version="/v1.41", carry=None):
        """Create a container as a client."""
        request = a_request("POST", f"{version}/containers/create", client=Client(client))
        return await self.cluster.create_container(config, request, carry)

    def pull_targets(self, image, *, client="127.0.0.1"):
        """Return the names of the engines that a client's pull goes to."""
        targets = self.cluster.pull_targets(image, Client(client))
        return [engine.node.name for engine in targets]

    def left_behind(self):
        """Return the reservations on all nodes."""
        return [name for node in self.cluster.nodes() for name in node.reservations]


@asynccontextmanager
async def open_fleet(*scripted, leadership=None, **settings):
    """Run a cluster of these engines, all healthy."""
    fleet = Fleet(scripted, ClusterSettings(name="manager", **settings), leadership)
    async with open_cluster(fleet.cluster):
        fleet.discover(*scripted)
        await fleet.wait_healthy(*scripted)
        yield fleet


async def wait_for(condition, seconds=600):
    """Let the mock clock run until *condition* is true; return the seconds that it took."""
    started = trio.current_time()
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  (the clock is a mock)
            await trio.sleep(0.01)
    return trio.current_time() - started


async def wait_for_state(engine, state, seconds=600):
    """Let the mock clock run until an engine has a state; return the seconds that it took."""
    return await wait_for(lambda: engine.node.state is state, seconds)


@asynccontextmanager
async def living(*engines):
    """Run engines during the block."""
    async with trio.open_nursery() as nursery:
        for engine in engines:
            nursery.start_soon(engine.run)
        yield
        nursery.cancel_scope.cancel()
