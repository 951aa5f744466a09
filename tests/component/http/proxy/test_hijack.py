"""Hijacked connections are forwarded as raw bytes in both directions."""

import contextlib

import pytest
import trio
import trio.testing

from swarmcore.protocols import ResponseHooks
from tests.component.http.proxy.relaying import BARE, UPGRADE, UPGRADED, answering


@pytest.mark.parametrize(
    ("headers", "answer"), [(UPGRADE, UPGRADED), ((), BARE)], ids=["101", "bare 200"]
)
async def test_a_hijack_is_raw_both_ways_with_both_half_closes(through, headers, answer):
    async def script(wire):
        request = await wire.head()
        assert (b"Upgrade: tcp\r\n" in request) == bool(headers)
        await wire.say(answer + b"with the head ")
        assert await wire.rest() == b"in"
        await wire.say(b"out after the input's end")

    client, engine = through(script)
    await client.ask(b"POST /attach", *headers)
    assert await client.head() == answer
    await client.until(b"with the head ")
    await client.say(b"in")
    await client.stream.send_eof()
    assert await client.rest() == b"out after the input's end"
    await engine.closed.wait()


async def test_the_body_of_a_request_that_is_hijacked_goes_with_its_head(through):
    async def script(wire):
        await wire.head()
        assert wire.seen == b'{"stdin":true}'  # what came later would be standard input
        await wire.say(UPGRADED)
        wire.seen = b""
        assert await wire.rest() == b"in"

    client, engine = through(script)
    await client.ask(b"POST /attach", *UPGRADE, b"Content-Length: 14")
    await trio.testing.wait_all_tasks_blocked()
    await client.say(b'{"stdin":true}')
    assert await client.head() == UPGRADED
    await client.say(b"in")
    await client.stream.send_eof()
    await engine.closed.wait()


@pytest.mark.parametrize("shut", [True, False], ids=["and ended", "not ended"])
async def test_early_input_of_a_client_waits_for_the_engines_answer(through, shut, autojump_clock):
    asked, go_on = trio.Event(), trio.Event()

    async def script(wire):
        await wire.head()
        asked.set()
        await go_on.wait()
        assert wire.seen == b""
        with trio.move_on_after(1):
            wire.seen += await wire.stream.receive_some()
        assert wire.seen == b""
        await wire.say(UPGRADED)
        await wire.until(b"early")
        await wire.say(b"late")

    client, _ = through(script)
    await client.ask(b"POST /attach", *UPGRADE, body=b"early")
    if shut:
        await client.stream.send_eof()
    await asked.wait()
    await trio.testing.wait_all_tasks_blocked()
    go_on.set()
    await client.head()
    assert await client.rest() == b"late"


async def test_a_session_is_a_tunnel_with_every_header_in_its_place(through):
    methods = [b"X-Docker-Expose-Session-Grpc-Method: /service.%d" % (n % 6) for n in range(9)]
    upgraded = UPGRADED.replace(b"tcp", b"h2c")

    async def script(wire):
        request = await wire.head()
        lines = request.split(b"\r\n")
        assert [line for line in lines if b"Grpc-Method" in line] == methods
        assert b"Upgrade: h2c" in lines
        assert b"Connection: Upgrade" in lines
        for byte in upgraded + b"PRI * ":  # engines send this head in tiny segments
            await wire.say(bytes([byte]))
        await wire.until(b"\0settings")
        await wire.say(b"acknowledged")

    client, _ = through(script)
    lines = (
        b"POST /session HTTP/1.1",
        b"Host: ",
        *methods,
        b"Connection: Upgrade",
        b"Upgrade: h2c",
    )
    await client.say(b"\r\n".join(lines) + b"\r\n\r\n")
    assert await client.head() == upgraded
    await client.until(b"PRI * ")
    await client.say(b"\0settings")
    assert await client.rest() == b"acknowledged"


@pytest.mark.parametrize("headers", [(b"Connection: Upgrade", b"Upgrade: tcp"), ()])
@pytest.mark.parametrize("status", [101, 404])
async def test_the_head_of_a_hijack_can_be_reworded_and_an_error_is_not(through, headers, status):
    head = UPGRADED if headers else BARE
    if status == 404:
        head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    client, _ = through(
        answering(head), hooks=ResponseHooks(map_headers=lambda kept: (*kept, (b"X-New", b"1")))
    )
    await client.ask(b"POST /attach", *headers)
    assert (b"X-New: 1\r\n" in await client.head()) == (status == 101)


async def test_an_exec_sends_its_json_before_it_is_raw(through):
    async def script(wire):
        await wire.head()
        await wire.until(b'{"Tty":true}')
        await wire.say(UPGRADED)
        await wire.until(b"ls\n")
        await wire.say(b"files")

    client, _ = through(script)
    body = b'{"Tty":true}'
    await client.ask(b"POST /exec/1/start", *UPGRADE, b"Content-Length: 12", body=body)
    await client.head()
    await client.say(b"ls\n")
    assert await client.rest() == b"files"


async def test_an_upgrade_that_the_engine_declines_is_an_ordinary_answer(through):
    client, _ = through(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    for _ in range(2):
        await client.ask(b"POST /exec/1/start", *UPGRADE)
        assert b"Content-Length: 0\r\n" in await client.head()


async def test_a_client_that_vanishes_from_a_tunnel_takes_the_engines_end_with_it(through):
    async def script(wire):
        await wire.head()
        await wire.say(UPGRADED)
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                await wire.say(b"x" * 1000)

    client, engine = through(script)
    await client.ask(b"POST /attach", *UPGRADE)
    await client.head()
    await client.stream.aclose()
    await engine.closed.wait()


async def test_a_tunnel_ends_on_both_sides_when_the_engine_does_not_answer_any_more(through):
    async def script(wire):
        await wire.head()
        await wire.say(UPGRADED)
        assert await wire.rest() == b""

    client, engine = through(script)
    await client.ask(b"POST /attach", *UPGRADE)
    await client.head()
    engine.http.abandon()
    assert await client.rest() == b""
    await engine.closed.wait()
