"""How the client keeps, reuses, limits and closes connections."""

import random

import pytest
import trio

from swarmcore.addresses import Address
from swarmcore.errors import Conflict, EngineUnreachable
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.client import client as module
from tests.component.http.client.socket_engine import (
    OK,
    OK_AND_CLOSE,
    ScriptedEngine,
    answer_and_close,
    asking,
    endless,
    hang_up,
    wait_for_the_client,
)


async def test_a_connection_is_kept_for_the_next_call():
    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        for _ in range(3):
            await client.request("POST", "/x")
    assert engine.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_the_engine_closed_is_not_used(method):
    engine = ScriptedEngine(answer_and_close, OK)
    async with asking(engine) as client:
        await client.request("GET", "/1")
        while engine.open:
            await trio.lowlevel.checkpoint()
        assert (await client.request(method, "/2")).body == b"ok"
    assert len(engine.seen) == 2


async def test_a_get_that_meets_a_dying_connection_is_asked_once_more():
    engine = ScriptedEngine(OK, hang_up, OK)
    async with asking(engine) as client:
        await client.request("GET", "/1")
        assert (await client.request("GET", "/2")).body == b"ok"
    assert engine.connections == 2


async def test_once_one_kept_connection_was_dead_no_other_is_trusted():
    together = []
    met = trio.Event()

    async def answer_together(stream):
        together.append(stream)
        if len(together) == 3:
            met.set()
        await met.wait()
        await stream.send_all(OK)

    engine = ScriptedEngine(*[answer_together] * 3, hang_up, OK)
    async with asking(engine) as client:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client.request, "GET", "/1")
        assert (await client.request("GET", "/2")).body == b"ok"
    assert engine.connections == 4


async def test_a_request_that_may_have_been_executed_is_not_repeated():
    engine = ScriptedEngine(OK, hang_up)
    async with asking(engine) as client:
        await client.request("GET", "/1")
        with pytest.raises(
            EngineUnreachable, match=r"^engine 127\.0\.0\.1:\d+: the connection"
        ) as caught:
            await client.request("POST", "/2")
    assert caught.value.sent
    assert len(engine.seen) == 2


async def test_a_request_that_is_no_longer_permitted_is_not_sent():
    connected = []

    def refuse():
        connected.append(engine.connections)
        raise Conflict("not any more")

    engine = ScriptedEngine(OK)
    async with asking(engine) as client:
        await client.request("GET", "/_ping")
        for _ in range(2):
            with pytest.raises(Conflict, match="not any more"):
                await client.request("POST", "/containers/create", body=b"{}", permit=refuse)
        await client.request("POST", "/containers/create", body=b"{}", permit=lambda: None)
    assert len(engine.seen) == 2
    assert len(connected) == 2


async def test_a_refused_connection_is_reported_as_not_sent(closed_port):
    client = HTTPClient(Dialer(Address("tcp", "127.0.0.1", closed_port)))
    with pytest.raises(EngineUnreachable, match="Is the docker daemon running") as caught:
        await client.request("POST", "/x")
    assert not caught.value.sent


async def test_a_client_that_was_closed_says_so():
    async with asking(ScriptedEngine(OK)) as client:
        pass
    with pytest.raises(EngineUnreachable, match="has left the cluster") as caught:
        await client.request("POST", "/x")
    assert not caught.value.sent


# ---- many calls


async def test_calls_beyond_32_wait_for_their_turn():
    engine = ScriptedEngine(OK)
    async with asking(engine) as client, trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(client.request, "GET", "/x")
    assert len(engine.seen) == 100
    assert engine.most <= 32


async def test_cancelled_calls_free_their_places(monkeypatch):
    monkeypatch.setattr(module, "_CALLS", 4)
    moments = random.Random(1)

    async def give_up(client):
        with trio.move_on_after(moments.random() / 50):
            await client.request("POST", "/x")

    async with asking(ScriptedEngine(OK_AND_CLOSE)) as client:
        for _ in range(20):
            async with trio.open_nursery() as nursery:
                for _ in range(60):
                    nursery.start_soon(give_up, client)
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for _ in range(8):
                    nursery.start_soon(client.request, "GET", "/x")


async def test_abandoning_ends_calls_under_way_waiting_calls_and_lines(monkeypatch):
    monkeypatch.setattr(module, "_CALLS", 1)
    ended = []

    async def ask(client):
        with pytest.raises(EngineUnreachable, match="does not answer any more"):
            await client.request("GET", "/x")
        ended.append("call")

    async def follow_on(client):
        async with client.lines("/events") as lines:
            assert await anext(lines) == b"1"
            following.set()
            await trio.sleep_forever()

    async def follow_events(client):
        with pytest.raises(EngineUnreachable, match="does not answer any more"):
            await follow_on(client)
        ended.append("lines")

    following = trio.Event()
    engine = ScriptedEngine(endless, wait_for_the_client)
    async with asking(engine) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow_events, client)
            await following.wait()
            for _ in range(3):
                nursery.start_soon(ask, client)
            while len(engine.seen) < 2:
                await trio.lowlevel.checkpoint()
            client.abandon()
        assert sorted(ended) == ["call", "call", "call", "lines"]
        with trio.fail_after(60):
            while engine.open:
                await trio.lowlevel.checkpoint()
