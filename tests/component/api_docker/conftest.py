"""The Docker routes behind a real server, in front of embedded engines, over real sockets."""

from contextlib import asynccontextmanager
from random import Random

import pytest
import swarmcore_api_docker
import trio

from swarmcore.cluster import Cluster, open_cluster
from swarmcore.engine import Engine
from swarmcore.engine.intervals import Pace
from swarmcore.gateway import Gateway
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.routing import Router
from swarmcore.http.server import Server
from swarmcore.testing.embedded import EmbeddedEngine
from tests.component.api_docker.manager import ByLabel, Manager
from tests.doubles import Deaf


@pytest.fixture
def manage():
    """Yield a function: ``async with manage(*engines, **options) as manager``, all healthy."""

    @asynccontextmanager
    async def manage(*engines, **options):
        listing = trio.CapacityLimiter(16)

        def make_engine(entry, owner):
            return Engine(
                entry, HTTPClient(Dialer(entry.address)), owner,
                pace=Pace(), overcommit=0.0, random=Random(1), listing=listing,
            )  # fmt: skip

        cluster = Cluster(ByLabel(), make_engine, Deaf())
        routes = swarmcore_api_docker.swarmcore_routes(options)
        gateway = Gateway(Router(routes), cluster, lambda request: None)
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        async with open_cluster(cluster), trio.open_nursery() as nursery:
            await nursery.start(Server(gateway.handle).run, listeners)
            cluster.membership.entries([engine.entry for engine in engines])
            manager = Manager(cluster, port)
            try:
                await manager.wait_until(
                    lambda: sum(node.health > 0 for node in cluster.nodes()) == len(engines)
                )
                yield manager
            finally:
                with trio.CancelScope(shield=True):
                    await manager.aclose()
            nursery.cancel_scope.cancel()

    return manage


@pytest.fixture
async def n1():
    async with EmbeddedEngine("n1", version="20.10.24", api_version=(1, 41)).serving() as engine:
        yield engine


@pytest.fixture
async def n2():
    async with EmbeddedEngine("n2").serving() as engine:
        yield engine


@pytest.fixture
async def manager(manage, n1, n2):
    """A manager with an old and a new engine, ``n1`` and ``n2``."""
    async with manage(n1, n2) as manager:
        yield manager
