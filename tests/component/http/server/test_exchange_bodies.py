"""How the server reads the body of a request, and discards what the handler did not read."""

import trio
import trio.testing

from swarmcore.errors import Conflict
from swarmcore.http.messages import Answer
from tests.component.http.server.peers import HOST, echo, message


async def test_100_continue_is_sent_when_the_body_is_asked_for(connect):
    asked, sent = trio.Event(), trio.Event()

    async def handler(exchange):
        await asked.wait()
        sent.set()
        await echo(exchange)

    peer = connect(handler)
    await peer.ask(b"POST /", b"Expect: 100-continue", b"Content-Length: 4")
    await trio.testing.wait_all_tasks_blocked()
    assert not sent.is_set()
    asked.set()
    assert await peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await peer.say(b"body")
    assert (await peer.until(b"body\n")).startswith(b"HTTP/1.1 200 OK")
    await peer.ask(b"GET /next")
    await peer.until(b"/next \n")


async def test_100_continue_does_not_come_after_an_answer_has_begun(connect):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(await exchange.read_body())

    peer = connect(handler)
    await peer.ask(b"POST /", b"Expect: 100-continue", b"Content-Length: 4")
    assert (await peer.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    await peer.say(b"body")
    assert await peer.until(b"0\r\n\r\n") == b"4\r\nbody\r\n0\r\n\r\n"


async def test_a_refusal_before_the_body_needs_no_body_and_ends_the_connection(connect):
    async def handler(exchange):
        raise Conflict("no room")

    peer = connect(handler)
    await peer.ask(b"POST /", b"Expect: 100-continue", b"Content-Length: 4")
    await peer.stream.send_eof()
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"Connection: close" in answer
    assert b"100 Continue" not in answer


async def test_a_body_that_nobody_read_does_not_become_a_request(connect):
    async def handler(exchange):
        await exchange.send(Answer(200, (), exchange.request.path.encode()))

    peer = connect(handler)
    await peer.say(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\n01234")
    await peer.until(b"/a")
    await peer.say(b"56789GET /b HTTP/1.1\r\n" + HOST + b"\r\n")
    assert (await peer.until(b"/b")).endswith(b"\r\n\r\n/b")


async def test_an_endless_body_that_nobody_reads_ends_with_the_connection(connect, autojump_clock):
    async def handler(exchange):
        await exchange.send(Answer(200))

    peer = connect(handler)
    await peer.ask(b"POST /", b"Transfer-Encoding: chunked")
    await peer.until(b"\r\n\r\n")
    assert await peer.goes_on(b"10000\r\n" + b"x" * 65536 + b"\r\n", times=100) < 10


async def test_json_is_read_by_its_rules(connect):
    async def handler(exchange):
        await exchange.send_json(await exchange.read_json())

    peer = connect(handler)
    kind = b"Content-Type: application/json"
    await peer.ask(b"POST /", kind, b"Content-Length: 7", body=b'{"a":1}')
    assert (await peer.until(b"}\n")).endswith(b'{"a":1}\n')
    await peer.ask(b"POST /", kind, b"Content-Length: 13", body=b'{"a":1,"A":2}')
    assert message(await peer.until(b"}\n")) == "invalid JSON: 'A' is given twice"


async def test_a_body_above_the_limit_is_413(connect):
    peer = connect(parsed_body_bytes=1000)
    await peer.ask(b"POST /", b"Content-Length: 2000", body=b"x" * 2000)
    answer = await peer.until(b"}\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "larger than 1000 bytes" in message(answer)


async def test_a_body_that_does_not_come_is_not_waited_for(connect, autojump_clock):
    peer = connect()
    await peer.ask(b"POST /", b"Content-Length: 5", body=b"ab")
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "within 60 seconds" in message(answer)


async def test_a_malformed_chunk_is_400(connect):
    peer = connect()
    await peer.ask(b"POST /", b"Transfer-Encoding: chunked", body=b"zz\r\nabc")
    assert "malformed request body" in message(await peer.rest())
