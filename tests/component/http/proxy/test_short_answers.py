"""Answers that come soon: without a task that watches the client, and in one send."""

import pytest
import trio
import trio.testing

from swarmcore.http.server import ServerExchange
from swarmcore.protocols import ResponseHooks
from tests.component.http.proxy.relaying import CHUNKED, OK, answering

SHOUT = ResponseHooks(map_response=lambda answer: type(answer)(200, (), answer.body + b"!"))
CHUNKED_OK = CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"


@pytest.fixture
def sends(monkeypatch):
    """What was sent to clients."""
    sends, write = [], ServerExchange._write

    async def record(self, data):
        sends.append(data)
        await write(self, data)

    monkeypatch.setattr(ServerExchange, "_write", record)
    return sends


@pytest.mark.parametrize(
    ("answer", "hooks", "end"),
    [
        (OK, ResponseHooks(), b"ok"),
        (OK.replace(b"200 OK", b"404 Not Found"), SHOUT, b"ok"),
        (OK, SHOUT, b"ok!"),
        (CHUNKED_OK, SHOUT, b"ok!"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ResponseHooks(), b"\r\n\r\n"),
    ],
    ids=["short", "error", "mapped", "mapped chunks", "empty"],
)
async def test_a_short_answer_costs_one_send_and_no_task(through, sends, answer, hooks, end):
    spawned = []

    class Spawns(trio.abc.Instrument):
        def task_spawned(self, task):
            spawned.append(task.name)

    client, _ = through(answering(answer), hooks=hooks)
    await client.ask(b"GET /json")
    await client.until(end)
    trio.lowlevel.add_instrument(instrument := Spawns())
    await client.ask(b"GET /json")
    await client.until(end)
    trio.lowlevel.remove_instrument(instrument)
    assert len(sends) == 2
    assert spawned == []


async def test_what_does_not_come_soon_is_shown_as_it_comes(through, sends):
    """A body with a length is sent with its head only if it is there."""
    go_on = trio.Event()

    async def script(wire):
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        await go_on.wait()
        await wire.say(b"two")
        await wire.rest()

    client, _ = through(script)
    await client.ask(b"GET /archive")
    with trio.fail_after(5):
        assert (await client.until(b"one")).count(b"HTTP/1.1 200") == 1
    go_on.set()
    await client.until(b"two")


async def test_a_mapped_answer_may_take_its_time(through):
    async def script(wire):
        await wire.head()
        for piece in (CHUNKED, b"3\r\none\r\n", b"3\r\ntwo\r\n", b"0\r\n\r\n"):
            await wire.say(piece)
            await trio.sleep(0.04)
        await wire.rest()

    client, _ = through(script, hooks=SHOUT)
    await client.ask(b"GET /json")
    with trio.fail_after(5):
        assert (await client.until(b"onetwo!")).count(b"Content-Length: 7\r\n") == 1


async def test_a_stream_begins_before_it_has_a_first_byte(through):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        await wire.rest()

    client, _ = through(script)
    await client.ask(b"GET /logs")
    with trio.fail_after(5):
        await client.head()


@pytest.mark.parametrize("hooks", [ResponseHooks(), SHOUT])
async def test_a_client_that_goes_meanwhile_ends_the_engines_work(through, hooks):
    async def script(wire):
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        await wire.rest()

    client, engine = through(script, hooks=hooks)
    await client.ask(b"GET /json")
    await trio.testing.wait_all_tasks_blocked()
    await client.stream.aclose()
    with trio.fail_after(5):
        await engine.closed.wait()
    assert engine.errors == []
