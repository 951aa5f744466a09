"""The server as a whole: limits of connections, and stopping."""

from functools import partial

import pytest
import trio
import trio.testing

from swarmcore.http.server import Limits, Server
from tests.component.http.server.peers import Peer, echo


class MemoryListener(trio.abc.Listener):
    """A listener of connections in memory, which work with the mock clock."""

    def __init__(self):
        self._send, self._receive = trio.open_memory_channel(100)

    async def connect(self):
        ours, theirs = trio.testing.memory_stream_pair()
        await self._send.send(theirs)
        return Peer(ours)

    async def accept(self):
        return await self._receive.receive()

    async def aclose(self):
        await self._receive.aclose()


async def test_the_connection_above_the_limit_is_turned_away():
    listener = MemoryListener()
    async with trio.open_nursery() as nursery:
        server = Server(echo, limits=Limits(connections=2))
        await nursery.start(server.run, [listener])
        first, second = await listener.connect(), await listener.connect()
        for peer in (first, second):
            await peer.ask(b"GET /")
            await peer.until(b" \n")
        third = await listener.connect()
        assert (await third.rest()).startswith(b"HTTP/1.1 503 ")
        await first.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert server.connection_count == 1
        fourth = await listener.connect()
        await fourth.ask(b"GET /")
        await fourth.until(b" \n")
        nursery.cancel_scope.cancel()


async def test_a_peer_with_too_many_connections_is_turned_away_and_others_are_not():
    async def ask_from(address):
        stream = trio.SocketStream(trio.socket.socket())
        await stream.socket.bind((address, 0))
        await stream.socket.connect(listeners[0].socket.getsockname())
        peer = Peer(stream)
        await peer.ask(b"GET /")
        return peer

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        server = Server(echo, limits=Limits(peer_connections=2))
        await nursery.start(server.run, listeners)
        peers = [await ask_from("127.0.0.2") for _ in range(2)]
        for peer in peers:
            assert b" 200 OK" in await peer.until(b" \n")
        async with (await ask_from("127.0.0.2")).stream as stream:
            assert (await Peer(stream).until(b"\r\n")).startswith(b"HTTP/1.1 429 ")
        async with (await ask_from("127.0.0.3")).stream as stream:
            assert b" 200 OK" in await Peer(stream).until(b" \n")
        for peer in peers:
            await peer.stream.aclose()
        while server.connection_count:
            await trio.testing.wait_all_tasks_blocked()
        async with (await ask_from("127.0.0.2")).stream as stream:
            assert b" 200 OK" in await Peer(stream).until(b" \n")
        nursery.cancel_scope.cancel()


async def test_stopping_ends_idle_connections_and_lets_requests_finish(autojump_clock):
    async def handler(exchange):
        await trio.sleep(int(exchange.request.path[1:]))
        await echo(exchange)

    listener = MemoryListener()
    async with trio.open_nursery() as nursery:
        server = Server(handler, grace_seconds=10)
        await nursery.start(server.run, [listener])
        idle, quick, slow = [await listener.connect() for _ in range(3)]
        await quick.ask(b"GET /5")
        await slow.ask(b"GET /100")
        await trio.testing.wait_all_tasks_blocked()
        started = trio.current_time()
        server.stop()
        assert await idle.rest() == b""
        assert trio.current_time() == started
        assert (await quick.rest()).endswith(b"GET /5 \n")
        assert trio.current_time() - started == pytest.approx(5)
        assert await slow.rest() == b""
        assert trio.current_time() - started == pytest.approx(10)


async def test_stopping_returns_as_soon_as_nothing_is_left(autojump_clock):
    listener = MemoryListener()
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        server = Server(echo, grace_seconds=10)
        await nursery.start(partial(server.run, [listener]))
        await listener.connect()
        server.stop()
    assert trio.current_time() == started
