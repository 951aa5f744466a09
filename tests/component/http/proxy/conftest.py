"""A client whose requests are relayed to a scripted engine."""

import pytest
import trio
import trio.testing

from swarmcore.http.proxy import relay
from swarmcore.http.server import Server
from swarmcore.versions import ApiVersion
from tests.component.http.proxy.relaying import ScriptedEngine, Wire


@pytest.fixture
def through(nursery):
    """Make a client whose requests are relayed to a scripted engine."""

    def through(script, path=None, handler=None, speaks=((1, 12), (1, 41)), **options):
        engine = ScriptedEngine(nursery, script, speaks)

        async def hand_on(exchange):
            target = path or exchange.request.path
            await relay(exchange, engine, target, announced=ApiVersion(1, 40), **options)

        async def handle(exchange):
            exchange.common_headers = ((b"Api-Version", b"1.40"), (b"Ostype", b"linux"))
            await (handler(exchange, engine) if handler else hand_on(exchange))

        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(Server(handle).serve_connection, theirs)
        return Wire(ours), engine

    return through
