"""How the client reads streams of lines, such as events."""

import pytest
import trio

from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.http.client import client as module
from tests.component.http.client.socket_engine import (
    CHUNKED,
    OK,
    ScriptedEngine,
    asking,
    chunk,
    endless,
)


async def follow(*scripts):
    got = []
    async with asking(ScriptedEngine(*scripts)) as client, client.lines("/events") as lines:
        async for line in lines:
            got.append(line)
    return got


async def test_lines_are_cut_at_newlines_wherever_the_pieces_end():
    pieces = [b'{"a"', b':1}\n{"b":2}\n\n', b'{"c":3}\n', b"\n"]
    assert await follow(CHUNKED + b"".join(map(chunk, pieces)) + b"0\r\n\r\n") == [
        b'{"a":1}',
        b'{"b":2}',
        b'{"c":3}',
    ]


async def test_a_line_arrives_when_it_was_sent():
    go_on = trio.Event()

    async def slowly(stream):
        await stream.send_all(CHUNKED + chunk(b"1\n"))
        await go_on.wait()
        await stream.send_all(chunk(b"2\n") + b"0\r\n\r\n")

    async with asking(ScriptedEngine(slowly)) as client, client.lines("/events") as lines:
        assert await anext(lines) == b"1"
        go_on.set()
        assert await anext(lines) == b"2"


async def break_off(stream):
    await stream.send_all(CHUNKED + chunk(b"1\n"))
    return False


async def test_a_stream_that_breaks_is_not_taken_for_one_that_ended():
    with pytest.RaisesGroup(pytest.RaisesExc(EngineUnreachable, match="ended before the answer")):
        await follow(break_off)


async def test_a_line_without_end_is_an_error():
    with pytest.RaisesGroup(pytest.RaisesExc(EngineError, match="a line over 1 MiB")):
        await follow(CHUNKED + chunk(b"x" * 1_100_000))


async def test_an_engine_that_has_no_events_is_an_error():
    with pytest.RaisesGroup(pytest.RaisesExc(EngineError, match="GET /events: status 404")):
        await follow(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("how", ["leaving", "cancelling", "raising"])
async def test_a_stream_can_be_left_in_the_middle_and_its_connection_is_closed(how):
    engine = ScriptedEngine(endless)
    async with asking(engine) as client:
        try:
            with trio.CancelScope() as scope:
                async with client.lines("/events") as lines:
                    assert await anext(lines) == b"1"
                    if how == "cancelling":
                        scope.cancel()
                        await anext(lines)
                        await anext(lines)
                    if how == "raising":
                        raise KeyError
        except KeyError:
            pass
        with trio.fail_after(60):
            while engine.open:
                await trio.lowlevel.checkpoint()


async def test_following_events_takes_no_calls_turn(monkeypatch):
    monkeypatch.setattr(module, "_CALLS", 1)
    engine = ScriptedEngine(endless, OK)
    async with asking(engine) as client, client.lines("/events"):
        with trio.fail_after(60):
            assert (await client.request("GET", "/x")).body == b"ok"
