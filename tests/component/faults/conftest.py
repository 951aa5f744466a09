"""The whole manager in this process, in front of embedded engines, over real sockets."""

from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from swarmcore import app
from swarmcore.engine.intervals import Pace
from swarmcore.model import State
from swarmcore.options import Options
from swarmcore.protocols import DiscoveryURI
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.testing.ports import free_port
from tests.component.api_docker.manager import Manager
from tests.component.faults.line import Line

#: To notice soon that an engine is lost.  A busy machine may lose one that is there as well.
QUICK = {"probe_seconds": 0.3, "ping_seconds": 1.5, "unhealthy_limit_seconds": 0.5}


class Managed(Manager):
    """A manager under test; ``cluster`` is its cluster."""

    def node(self, name):
        """Return the node of an engine."""
        return next(node for node in self.cluster.nodes() if node.name == name)

    async def wait_state(self, name, state):
        await self.wait_until(lambda: self.node(name).state is state)

    async def wait_healthy(self, name):
        await self.wait_state(name, State.HEALTHY)


@pytest.fixture
def manage(monkeypatch):
    """Yield a function: ``async with manage(*engines, pace={}, **options) as manager``."""

    @asynccontextmanager
    async def manage(*engines, pace=QUICK, **options):
        monkeypatch.setattr(app, "Pace", partial(Pace, **pace))
        port = free_port()
        served, clusters = trio.Event(), []

        async def serving(cluster):
            clusters.append(cluster)
            served.set()

        addresses = ",".join(engine.address for engine in engines)
        whole = app.Manager(
            Options(DiscoveryURI("nodes", addresses), hosts=(f"tcp://127.0.0.1:{port}",), **options)
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(whole.run, serving)
            await served.wait()
            manager = Managed(clusters[0], port)
            try:
                await manager.wait_until(
                    lambda: sum(node.health > 0 for node in clusters[0].nodes()) == len(engines)
                )
                yield manager
            finally:
                with trio.CancelScope(shield=True):
                    await manager.aclose()
            nursery.cancel_scope.cancel()

    return manage


@pytest.fixture
async def n1():
    async with EmbeddedEngine("n1", pullable=["*"]).serving() as engine:
        yield engine


@pytest.fixture
async def n2():
    async with EmbeddedEngine("n2", pullable=["*"]).serving() as engine:
        yield engine


@pytest.fixture
async def line(n1):
    """A line to ``n1``."""
    async with Line(n1).relaying() as line:
        yield line


@pytest.fixture
async def manager(manage, line, n2):
    """A manager of ``n1``, by way of ``line``, and of ``n2``."""
    async with manage(line, n2) as manager:
        yield manager
