"""Clients that disconnect, or send more, while a handler runs."""

import logging

import pytest
import trio
import trio.testing

from swarmcore.http.messages import Answer
from swarmcore.http.server import Limits, Server
from tests.component.http.server.peers import HOST, Peer, echo


async def test_a_client_that_disconnects_while_watched_gets_no_answer(connect, caplog):
    async def handler(exchange):
        async with exchange.watching():
            await trio.sleep_forever()

    peer = connect(handler)
    await peer.ask(b"GET /")
    await peer.stream.send_eof()
    assert await peer.rest() == b""
    assert not caplog.records


@pytest.mark.parametrize("half", [True, False], ids=["shuts its side", "closes"])
async def test_a_client_that_goes_cancels_what_streams_to_it(connect, half, caplog):
    caplog.set_level(logging.INFO)
    ended = trio.Event()

    async def handler(exchange):
        try:
            async with exchange.stream() as send:
                await send(b"x")
                await trio.sleep_forever()
        finally:
            ended.set()

    peer = connect(handler)
    await peer.ask(b"GET /events")
    await peer.until(b"x\r\n")
    if half:
        await peer.stream.send_eof()
    else:
        await peer.stream.aclose()
    await ended.wait()
    assert caplog.records == []


async def test_bytes_received_during_an_answer_are_the_next_request(connect):
    go_on = trio.Event()

    async def handler(exchange):
        if exchange.request.path == "/stream":
            async with exchange.stream() as send:
                await go_on.wait()
                await send(b"streamed")
        else:
            await echo(exchange)

    peer = connect(handler)
    await peer.ask(b"GET /stream")
    await peer.until(b"\r\n\r\n")
    await peer.say(b"POST /next HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nab")
    await trio.testing.wait_all_tasks_blocked()
    go_on.set()
    await peer.say(b"c")
    assert (await peer.until(b"abc\n")).endswith(b"POST /next abc\n")


async def test_bytes_sent_ahead_are_limited(autojump_clock):
    async def handler(exchange):
        async with exchange.stream() as send:
            await send(b"x")
            await trio.sleep_forever()

    ours, theirs = trio.testing.lockstep_stream_pair()
    peer = Peer(ours)
    async with trio.open_nursery() as nursery:
        server = Server(handler, limits=Limits(ahead_bytes=1000))
        nursery.start_soon(server.serve_connection, theirs)
        await peer.ask(b"GET /")
        await peer.until(b"x\r\n")
        await peer.say(b"y" * 1000)
        with trio.move_on_after(1) as blocked:
            await peer.say(b"y" * 1000)
            await peer.say(b"y" * 1000)
        assert blocked.cancelled_caught
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("pause", "is_whole"), [(590, True), (601, False)])
async def test_a_client_that_takes_nothing_of_a_large_answer_is_given_up(
    autojump_clock, pause, is_whole
):
    async def handler(exchange):
        await exchange.send(Answer(200, body=b"x" * 1_000_000))

    ours, theirs = trio.testing.lockstep_stream_pair()
    peer, taken = Peer(ours), 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Server(handler).serve_connection, theirs)
        await peer.ask(b"GET /")
        await peer.until(b"\r\n\r\n")
        data = b"-"
        while data and taken < 1_000_000:
            await trio.sleep(pause)  # for each piece of 256 KiB
            data = await ours.receive_some(1 << 18)
            taken += len(data)
        assert (taken == 1_000_000) is is_whole
        await ours.aclose()
