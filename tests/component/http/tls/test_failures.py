"""TLS streams that are misused, broken or blocked."""

import ssl

import pytest
import trio
import trio.testing

from swarmcore.http.tls import TLSStream
from tests.component.http.tls.pairs import MUCH, socket_ends, tls_pair


async def test_a_connection_that_ends_within_tls_is_broken_and_not_ended(contexts):
    client, server = await tls_pair(contexts, trio.testing.memory_stream_pair())
    await server.send_all(b"half")
    await trio.aclose_forcefully(server.transport_stream)
    assert await client.receive_some() == b"half"
    for _ in range(2):
        with pytest.raises(trio.BrokenResourceError, match="ended within TLS"):
            await client.receive_some()


async def test_a_peer_without_tls_is_named_in_the_error(contexts):
    ours, theirs = trio.testing.memory_stream_pair()
    client = TLSStream(ours, contexts[0], server_hostname="localhost")
    await theirs.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        await client.do_handshake()


async def test_two_tasks_in_one_direction_are_an_error(contexts):
    client, server = await tls_pair(contexts, trio.testing.memory_stream_pair())
    with pytest.RaisesGroup(pytest.RaisesExc(trio.BusyResourceError)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.receive_some)
            nursery.start_soon(client.receive_some)
    with pytest.RaisesGroup(pytest.RaisesExc(trio.BusyResourceError)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_all, b"a")
            nursery.start_soon(client.send_all, b"b")
    await trio.aclose_forcefully(server)


async def test_nothing_can_be_sent_after_the_end(contexts):
    client, _ = await tls_pair(contexts, trio.testing.memory_stream_pair())
    await client.send_eof()
    await client.send_eof()
    with pytest.raises(trio.ClosedResourceError):
        await client.send_all(b"more")


async def test_nothing_follows_a_send_that_was_cut_short(contexts):
    client, server = await tls_pair(contexts, socket_ends())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.send_all, MUCH)
        await trio.testing.wait_all_tasks_blocked(0.05)  # nobody reads: the buffers are full
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError, match="earlier send"):
        await client.send_all(b"more")
    await client.aclose()
    await server.aclose()


class StuckStream(trio.abc.HalfCloseableStream):
    """A stream that accepts no more data."""

    def __init__(self, inner):
        self.inner = inner
        self.stuck = False

    async def send_all(self, data):
        if self.stuck:
            await trio.sleep_forever()
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self):
        await self.inner.wait_send_all_might_not_block()

    async def send_eof(self):
        await self.inner.send_eof()

    async def receive_some(self, max_bytes=None):
        return await self.inner.receive_some(max_bytes)

    async def aclose(self):
        await self.inner.aclose()


@pytest.mark.parametrize("cancelled", [False, True], ids=["patient", "cancelled"])
async def test_closing_ends_although_the_peer_takes_nothing(contexts, autojump_clock, cancelled):
    ours, theirs = trio.testing.memory_stream_pair()
    stuck = StuckStream(ours)
    client, server = await tls_pair(contexts, (stuck, theirs))
    stuck.stuck = True
    started = trio.current_time()
    with trio.CancelScope() as scope:
        if cancelled:
            scope.cancel()
        await client.aclose()
    assert trio.current_time() - started <= 1
    with pytest.raises(trio.BrokenResourceError):
        await server.receive_some()


async def test_closing_before_the_handshake_sends_nothing(contexts):
    ours, theirs = trio.testing.memory_stream_pair()
    await TLSStream(ours, contexts[0], server_hostname="localhost").aclose()
    assert await theirs.receive_some() == b""
