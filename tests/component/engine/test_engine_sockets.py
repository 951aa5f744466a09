"""Tests of the engine with real sockets and the real clock, with embedded engines."""

from contextlib import asynccontextmanager
from random import Random

import pytest
import trio

from swarmcore.engine import Engine
from swarmcore.engine.client import EngineClient
from swarmcore.engine.intervals import Pace
from swarmcore.engine.pulse import Pulse
from swarmcore.errors import EngineUnreachable
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.model import State
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.testing.ports import free_port
from tests.component.fleets import Recorder, wait_for, wait_for_state

#: To notice quickly that an engine is lost.  A busy machine may lose one that is there as well.
QUICK = Pace(probe_seconds=0.2, ping_seconds=0.5, unhealthy_limit_seconds=0.5)


@asynccontextmanager
async def following(embedded, owner, pace=None, pulse=None):
    """The manager's side of a served embedded engine."""
    engine = Engine(
        embedded.entry,
        HTTPClient(Dialer(embedded.entry.address)),
        owner,
        pace=pace or Pace(),
        overcommit=0.0,
        random=Random(1),
        listing=trio.CapacityLimiter(1),
        pulse=pulse,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        yield engine
        nursery.cancel_scope.cancel()


@pytest.fixture
def owner():
    return Recorder()


async def test_an_engine_is_followed(owner):
    async with EmbeddedEngine("n1").serving() as embedded:
        embedded.add_container("web")
        async with following(embedded, owner) as engine:
            await wait_for_state(engine, State.HEALTHY, 60)
            assert [c.name for c in engine.node.containers.values()] == ["web"]
            body = b'{"Image": "busybox", "Cmd": ["sleep", "1000"]}'
            json = ((b"Content-Type", b"application/json"),)
            path = "/containers/create?name=second"
            answer = await engine.call("POST", path, body=body, headers=json)
            assert answer.status == 201
            await wait_for(lambda: "second" in owner.names.values(), 60)
            answer = await engine.call("DELETE", f"/containers/{answer.json()['Id']}")
            assert answer.status == 204
            await wait_for(lambda: "second" not in owner.names.values(), 60)

            def verbs():
                return [event.verb for event in owner.events if event.type == "container"]

            await wait_for(lambda: len(verbs()) == 2, 60)  # published once the list was read
            assert verbs() == ["create", "destroy"]


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [("cut", "mend"), ("pause", "resume")],
    ids=["cable pulled", "hung"],
)
async def test_an_engine_is_lost_and_comes_back(owner, break_it, mend_it):
    served = EmbeddedEngine("n1", port=free_port()).serving()
    async with served as embedded, following(embedded, owner, QUICK) as engine:
        await wait_for_state(engine, State.HEALTHY, 60)
        getattr(embedded, break_it)()
        await wait_for_state(engine, State.UNHEALTHY, 60)
        embedded.add_container("meanwhile")
        mended = getattr(embedded, mend_it)()
        if mended is not None:
            await mended
        await wait_for_state(engine, State.HEALTHY, 60)
        assert "meanwhile" in owner.names.values()


async def test_an_answer_is_streamed_and_may_be_left_early(owner):
    async with EmbeddedEngine("n1").serving() as embedded, following(embedded, owner) as engine:
        await wait_for_state(engine, State.HEALTHY, 60)
        async with engine.open("GET", "/events") as stream:
            assert stream.status == 200
            embedded.emit("volume", "create", "v1")
            async for piece in stream:
                assert b"v1" in piece
                break
        assert engine.node.failures == 0


async def test_a_closed_client_refuses_at_once(owner):
    embedded = EmbeddedEngine("n1")
    async with embedded.serving():
        owner.label, owner.lost_contact = "n1", owner.heard.append
        client = EngineClient(HTTPClient(Dialer(embedded.entry.address)), owner)
        client.close()
        with pytest.raises(EngineUnreachable, match="n1 has left the cluster"):
            await client.ask("GET", "/_ping", seconds=1)
        assert owner.heard == []
        await client.aclose()


async def test_a_hung_engine_is_noticed_by_the_shared_timer(owner):
    pulse = Pulse()
    async with EmbeddedEngine("n1").serving() as embedded, trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        async with following(embedded, owner, QUICK, pulse) as engine:
            await wait_for_state(engine, State.HEALTHY, 60)
            await wait_for(lambda: len(embedded.requests_like("GET /_ping")) > 2, 60)
            assert not engine.node.failures
            embedded.pause()
            await wait_for_state(engine, State.UNHEALTHY, 60)
            embedded.resume()
            await wait_for_state(engine, State.HEALTHY, 60)
        nursery.cancel_scope.cancel()
