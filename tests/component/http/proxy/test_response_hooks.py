"""Hooks of a handler that wait before an answer ends, or change the answer."""

import pytest
import trio
import trio.testing

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer, json_answer
from swarmcore.protocols import ResponseHooks
from tests.component.http.proxy.relaying import CHUNKED, OK, UPGRADE, UPGRADED, answering


@pytest.mark.parametrize(
    ("answer", "before"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (OK, b"HTTP/1.1 200 OK"),
        (CHUNKED + b"2\r\nok\r\n0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (CHUNKED + b"0\r\n\r\n", b"HTTP/1.1 200 OK"),
    ],
    ids=["204", "empty", "length", "chunked", "empty chunked"],
)
async def test_the_cache_settles_before_the_client_can_know_the_end(
    through, answer, before, autojump_clock
):
    settled, go_on = [], trio.Event()

    async def settle(status):
        settled.append(status)
        await go_on.wait()

    client, _ = through(answering(answer), hooks=ResponseHooks(on_status=settle))
    await client.ask(b"POST /start")
    seen = b""
    await trio.testing.wait_all_tasks_blocked()
    with trio.move_on_after(1):
        seen = await client.stream.receive_some()
    assert settled == [int(answer[9:12])]
    assert seen.startswith(before)
    assert bool(seen) == bool(before)  # where there is no body, the head is the end
    assert b"ok" not in seen
    assert not seen.endswith(b"0\r\n\r\n")
    go_on.set()
    client.seen = seen
    await client.ask(b"POST /start", b"Connection: close")
    await client.rest()
    assert len(settled) == 2


async def test_the_cache_may_settle_after_the_last_byte_and_before_the_end(through):
    settled, working, go_on = [], trio.Event(), trio.Event()

    async def settle(status):
        settled.append(status)
        await go_on.wait()

    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED + b"8\r\nstep one\r\n")
        await working.wait()
        await wire.say(b"4\r\ndone\r\n0\r\n\r\n")

    client, _ = through(script, hooks=ResponseHooks(on_status=settle, on_status_at="end"))
    await client.ask(b"POST /build")
    await client.until(b"step one\r\n")
    assert settled == []
    working.set()
    await client.until(b"done\r\n")
    await trio.testing.wait_all_tasks_blocked()
    assert (settled, client.seen) == ([200], b"")
    go_on.set()
    await client.until(b"0\r\n\r\n")


async def test_the_cache_settles_before_a_hijack(through):
    order = []

    async def settle(status):
        order.append(status)

    async def script(wire):
        await wire.head()
        await wire.say(UPGRADED)
        order.append(await wire.rest())

    client, engine = through(script, hooks=ResponseHooks(on_status=settle))
    await client.ask(b"POST /attach", *UPGRADE)
    await client.head()
    order.append("seen")
    await client.stream.send_eof()
    await engine.closed.wait()
    assert order == [101, "seen", b""]


async def test_a_cache_that_cannot_settle_does_not_spoil_the_answer(through, caplog):
    async def settle(status):
        raise EngineUnreachable("n1", "gone")

    client, engine = through(answering(OK), hooks=ResponseHooks(on_status=settle))
    await client.ask(b"POST /start")
    await client.until(b"ok")
    assert "did not settle" in caplog.text
    assert engine.errors == []


async def test_an_answer_can_be_rewritten_whole(through):
    heard = []

    def map_response(answer):
        return json_answer({**answer.json(), "Node": 1}, answer.status)

    text = CHUNKED + b'8\r\n{"Id":"a\r\n2\r\n"}\r\n0\r\n\r\n'
    client, _ = through(answering(text, heard), hooks=ResponseHooks(map_response=map_response))
    await client.ask(b"GET /json", b"Accept-Encoding: gzip")
    answer = await client.until(b"}\n")
    assert answer.endswith(b'{"Id":"a","Node":1}\n')
    assert b"Accept-Encoding: identity" in heard[0]


async def test_an_error_is_not_rewritten(through):
    error = b'HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\n{"message":"x"}'
    client, _ = through(
        answering(error), hooks=ResponseHooks(map_response=lambda answer: Answer(500))
    )
    await client.ask(b"GET /json")
    assert (await client.until(b'{"message":"x"}')).startswith(b"HTTP/1.1 404 Not Found")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"2\r\nAB\r\n3\r\nend\r\n0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
         b"2\r\nab\r\n0\r\n\r\n"),
    ],
    ids=["open", "of a known length", "an error"],
)  # fmt: skip
async def test_pieces_of_an_open_answer_are_altered(through, answer, told):
    client, _ = through(
        answering(answer), hooks=ResponseHooks(map_data=lambda data: data.upper() or b"end")
    )
    await client.ask(b"POST /build")
    await client.head()
    assert await client.until(told[-4:]) == told
