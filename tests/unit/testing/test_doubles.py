"""The kit's doubles: settings for a test of a handler, and recorded calls."""

import pytest

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer
from swarmcore.protocols import Route
from swarmcore.testing.builders import a_node
from swarmcore.testing.doubles import FakeCluster, ScriptedEngine, ask


async def show(exchange):
    (engine,) = exchange.cluster.healthy_engines()
    answer = await engine.call("GET", f"/info?of={exchange.request.params['name']}")
    await exchange.send(answer)


ROUTES = [Route("GET", "/acme/{name}", show)]


async def test_a_request_is_routed_and_its_answer_kept():
    engine = ScriptedEngine(a_node("n1"), {"/info": Answer(200, (), b'{"ID": "x"}')})
    exchange = await ask(ROUTES, FakeCluster(engine), "GET", "/v1.41/acme/web?all=1")
    assert (exchange.status, exchange.json) == (200, {"ID": "x"})
    assert engine.asked == [("GET", "/info?of=web", ())]
    assert exchange.request.query.flag("all")


async def test_an_error_in_the_script_is_raised():
    lost = EngineUnreachable("n1", "engine n1 does not answer")
    engine = ScriptedEngine(a_node("n1"), {"/info": lost})
    with pytest.raises(EngineUnreachable):
        await ask(ROUTES, FakeCluster(engine), "GET", "/acme/web")


async def test_a_request_without_a_route_is_the_tests_mistake():
    with pytest.raises(LookupError, match="no route for POST /acme/web"):
        await ask(ROUTES, FakeCluster(), "POST", "/acme/web")


async def test_an_upload_is_kept_and_answered():
    engine = ScriptedEngine(a_node("n1"), {"/load": (200, [b"a", b"b"])})
    async with engine.upload("POST", "/load") as upload:
        await upload.send(b"one ")
        await upload.send(b"two")
        await upload.finish()
        answer = await upload.answer()
        assert (answer.status, [piece async for piece in answer]) == (200, [b"a", b"b"])
    (kept,) = engine.uploads
    assert (bytes(kept.sent), kept.finished) == (b"one two", True)
