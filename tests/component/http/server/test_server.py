"""The server as a whole: limits of connections, and stopping."""

import errno
import logging
from functools import partial

import pytest
import trio
import trio.testing

from swarmcore.http.server import Limits, Server
from swarmcore.http.server.rare_log import RareLog
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


async def test_the_connection_above_the_limit_is_turned_away_if_none_is_idle(caplog):
    async def handler(exchange):
        await released.wait()
        await echo(exchange)

    listener, released = MemoryListener(), trio.Event()
    async with trio.open_nursery() as nursery:
        server = Server(handler, limits=Limits(connections=2))
        await nursery.start(server.run, [listener])
        first, second = await listener.connect(), await listener.connect()
        for peer in (first, second):
            await peer.ask(b"GET /")
        for _ in range(3):
            refused = await listener.connect()
            assert (await refused.rest()).startswith(b"HTTP/1.1 503 ")
        assert caplog.text.count("refused a connection: 2 are open, and none is idle") == 1
        released.set()
        await first.until(b" \n")
        await first.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert server.connection_count == 1
        fourth = await listener.connect()
        await fourth.ask(b"GET /")
        await fourth.until(b" \n")
        nursery.cancel_scope.cancel()


async def test_above_the_limit_the_connection_that_is_idle_longest_is_closed(caplog):
    listener = MemoryListener()
    async with trio.open_nursery() as nursery:
        server = Server(echo, limits=Limits(connections=2))
        await nursery.start(server.run, [listener])
        silent, asking = await listener.connect(), await listener.connect()
        for peer in (asking, silent, asking):
            await peer.ask(b"GET /")
            await peer.until(b" \n")
        for closed in (silent, asking):
            new = await listener.connect()
            await new.ask(b"GET /")
            await new.until(b" \n")
            assert await closed.rest() == b""
        assert server.connection_count == 2
        assert caplog.text.count("closing the connections that are idle longest") == 1
        nursery.cancel_scope.cancel()


async def test_a_minute_later_the_log_says_how_much_it_left_out(autojump_clock, caplog):
    log = RareLog(logging.getLogger("x"))
    for _ in range(3):
        log.warning("full: %d", 7)
    await trio.sleep(61)
    log.warning("full: %d", 8)
    assert [record.getMessage() for record in caplog.records] == [
        "full: 7",
        "full: 8 (2 more in between)",
    ]


async def test_without_a_free_descriptor_an_idle_connection_is_closed(autojump_clock):
    """The second accept fails, as accept(2) does, when the first connection is idle."""

    class FullListener(MemoryListener):
        calls = 0

        async def accept(self):
            self.calls += 1
            if self.calls == 2:
                await trio.testing.wait_all_tasks_blocked()
                raise OSError(errno.EMFILE, "Too many open files")
            return await super().accept()

    listener = FullListener()
    async with trio.open_nursery() as nursery:
        server = Server(echo)
        await nursery.start(server.run, [listener])
        first, second = await listener.connect(), await listener.connect()
        assert await first.rest() == b""
        await second.ask(b"GET /")
        await second.until(b" \n")
        assert listener.calls == 4
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


async def test_an_idle_connection_lives_for_minutes_and_not_for_ever(nursery, autojump_clock):
    listener = MemoryListener()
    await nursery.start(Server(echo).run, [listener])
    peer = await listener.connect()
    await peer.ask(b"GET /")
    await peer.until(b" \n")
    await trio.sleep(500)
    await peer.ask(b"GET /")
    await peer.until(b" \n")
    started = trio.current_time()
    assert await peer.rest() == b""
    assert trio.current_time() - started == pytest.approx(600, abs=10)


async def test_a_request_that_arrives_as_the_server_stops_is_answered(autojump_clock):
    listener = MemoryListener()
    async with trio.open_nursery() as nursery:
        server = Server(echo)
        await nursery.start(server.run, [listener])
        peer = await listener.connect()
        await trio.testing.wait_all_tasks_blocked()
        await peer.ask(b"GET /late")  # the server's task can run, and has not yet
        server.stop()
        assert b"Connection: close" in (rest := await peer.rest())
        assert rest.endswith(b"GET /late \n")
