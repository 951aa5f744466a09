"""How the proxy forwards the bodies of requests, also those that a handler reads or replaces."""

import json

import pytest
import trio
import trio.testing

from swarmcore.http.proxy import relay
from swarmcore.versions import ApiVersion
from tests.component.http.proxy.relaying import OK, answering


async def test_a_chunked_body_goes_on_chunk_by_chunk_as_it_comes(through):
    async def script(wire):
        assert b"Transfer-Encoding: chunked\r\n" in await wire.head()
        await wire.until(b"3\r\none\r\n")
        await wire.say(b"HTTP/1.1 100 Continue\r\n\r\n")  # ignored: nobody asked for it
        await wire.until(b"0\r\n\r\n")
        await wire.say(OK)

    client, _ = through(script)
    await client.ask(b"PUT /archive", b"Transfer-Encoding: chunked", body=b"3\r\none\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await client.say(b"3\r\ntwo\r\n0\r\n\r\n")
    await client.until(b"ok")


async def test_a_body_with_a_length_keeps_it(through):
    async def script(wire):
        assert b"Content-Length: 6\r\n" in await wire.head()
        await wire.until(b"onetwo")
        await wire.say(OK)

    client, _ = through(script)
    await client.ask(b"PUT /archive", b"Content-Length: 6", body=b"one")
    await client.say(b"two")
    await client.until(b"ok")


async def test_a_body_can_be_replaced(through):
    async def script(wire):
        head = await wire.head()
        assert b"Content-Length: 7\r\n" in head
        assert b"Expect" not in head
        await wire.until(b'{"a":2}')
        await wire.say(OK)

    async def handler(exchange, engine):
        read = await exchange.read_json()
        body = json.dumps({"a": read["a"] + 1}, separators=(",", ":")).encode()
        await relay(exchange, engine, "/create", announced=ApiVersion(1, 40), body=body)

    client, _ = through(script, handler=handler)
    kind = b"Content-Type: application/json"
    await client.ask(b"POST /create", kind, b"Content-Length: 9", b"Expect: 100-continue")
    await client.until(b"100 Continue\r\n\r\n")
    await client.say(b'{"a" : 1}')
    await client.until(b"ok")


async def test_a_body_that_the_handler_has_read_goes_on_all_the_same(through):
    async def script(wire):
        await wire.head()
        await wire.until(b'{"Detach":true}')
        await wire.say(OK)

    async def handler(exchange, engine):
        await exchange.read_body()
        await relay(exchange, engine, "/exec/1/start", announced=ApiVersion(1, 40))

    client, _ = through(script, handler=handler)
    await client.ask(b"POST /", b"Content-Length: 15", body=b'{"Detach":true}')
    await client.until(b"ok")


async def test_the_engine_decides_whether_a_client_may_send_its_body(through):
    go_on = trio.Event()

    async def script(wire):
        assert b"Expect: 100-continue\r\n" in await wire.head()
        await go_on.wait()
        await wire.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        await wire.until(b"body")
        await wire.say(OK)

    client, _ = through(script)
    await client.ask(b"PUT /archive", b"Content-Length: 4", b"Expect: 100-continue")
    await trio.testing.wait_all_tasks_blocked()
    go_on.set()
    assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.say(b"body")
    await client.until(b"ok")


async def test_an_engine_that_refuses_a_body_is_heard_before_it_is_sent(through):
    refusal = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    client, _ = through(answering(refusal))
    await client.ask(b"PUT /archive", b"Content-Length: 4", b"Expect: 100-continue")
    head = await client.head()
    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"Connection: close" in head
    await client.stream.send_eof()
    assert await client.rest() == b"no"


async def test_a_final_answer_during_the_upload_stops_it(through):
    refusal = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nfull"
    client, engine = through(answering(refusal))
    await client.ask(b"POST /load", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
    await client.until(b"full")
    await engine.closed.wait()
    await client.say(b"3\r\nabc\r\n")  # it may be sending still
    await client.stream.send_eof()
    assert await client.rest() == b""


async def test_a_malformed_body_is_the_clients_fault_and_ends_the_engines_work(through):
    begun = trio.Event()

    async def script(wire):
        await wire.head()
        await wire.until(b"abc\r\n")
        begun.set()
        await wire.rest()

    client, engine = through(script)
    await client.ask(b"POST /load", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n")
    await begun.wait()
    await client.say(b"zz\r\n")
    assert (await client.head()).startswith(b"HTTP/1.1 400 ")
    await engine.closed.wait()
    assert engine.errors == []


async def test_a_body_that_was_begun_to_be_read_reaches_the_engine_whole(through):
    async def script(wire):
        head = await wire.head()
        assert b"Content-Length: 9" in head
        await wire.until(b"abcdefghi")
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def handler(exchange, engine):
        begun = [await exchange.receive_chunk()]

        async def pieces():
            return begun.pop() if begun else await exchange.receive_chunk()

        await relay(exchange, engine, "/build", announced=ApiVersion(1, 40), pieces=pieces)

    client, _ = through(script, handler=handler)
    await client.ask(b"POST /build", b"Content-Length: 9", body=b"abc")
    await client.say(b"defghi")
    assert (await client.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")


async def test_a_body_without_a_piece_is_known_to_be_empty(through):
    async def script(wire):
        assert b"content-length: 0" in (await wire.head()).lower()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def pieces():
        await trio.lowlevel.checkpoint()
        return b""

    client, _ = through(script, pieces=pieces)
    await client.ask(b"POST /build", b"Content-Length: 0")
    await client.until(b"\r\n\r\nok")


@pytest.mark.parametrize("seen", [0, 1])
@pytest.mark.parametrize("expects", [False, True])
async def test_the_rest_of_a_body_is_streamed_without_the_handler(through, seen, expects):
    async def script(wire):
        await wire.head()
        await wire.say(b"HTTP/1.1 100 Continue\r\n\r\n" if expects else b"")
        await wire.until(b"3\r\none\r\n")
        await wire.until(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await wire.until(b"0\r\n\r\n")
        await wire.say(OK)

    async def handler(exchange, engine):
        left = seen

        async def pieces():
            nonlocal left
            left -= 1
            return await exchange.receive_chunk() if left >= 0 else b""

        await relay(exchange, engine, "/build", announced=ApiVersion(1, 40), pieces=pieces)

    client, _ = through(script, handler=handler)
    headers = [b"Transfer-Encoding: chunked"] + [b"Expect: 100-continue"] * expects
    await client.ask(b"POST /build", *headers)
    if expects:
        await client.until(b"100 Continue\r\n\r\n")
    await client.say(b"3\r\none\r\n")
    await trio.testing.wait_all_tasks_blocked()
    await client.say(b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n")
    await client.until(b"ok")
