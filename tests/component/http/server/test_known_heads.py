"""Repeated heads are not parsed again, and have the meaning that h11 found the first time."""

import h11
import pytest
import trio
import trio.testing

from swarmcore.http.messages import Client
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.heads import KnownHeads
from swarmcore.http.server.incoming import Incoming

PING = b"GET /v1.41/_ping?a=1 HTTP/1.1\r\nHost: x\r\n\r\n"
HERE, THERE = Client("10.0.0.8"), Client("10.0.0.9", "CN=there")


class Reader:
    """A connection of one client, which reads data as the server does."""

    def __init__(self, known, client=HERE):
        self.peer, server = trio.testing.memory_stream_pair()
        self.incoming = Incoming(server, client, Limits(), known)

    async def head(self, data):
        """Return the head of *data*, and whether it was known."""
        await self.peer.send_all(data)
        assert await self.incoming.wait_request()
        known = self.incoming.known_head()
        head = known or self.incoming.plain_head() or await self.incoming.read_head()
        return head, known is not None


async def test_a_head_that_came_before_is_known_on_every_connection():
    known = KnownHeads()
    first, others = Reader(known), Reader(known, THERE)
    read, was_known = await first.head(PING)
    assert not was_known
    first.incoming.next_request()
    for _ in range(2):
        again, was_known = await first.head(PING)
        assert was_known
        assert again == read
        assert first.incoming.complete
        first.incoming.next_request()
    there, was_known = await others.head(PING)
    assert was_known
    assert there.request.client == THERE
    assert (there.request.path, str(there.request.query)) == ("/_ping", "a=1")


@pytest.mark.parametrize(
    "data",
    [
        PING.replace(b"\r\n\r\n", b"\r\nAuthorization: Basic YTpi\r\n\r\n"),
        PING.replace(b"\r\n\r\n", b"\r\nX-Registry-Auth: e30=\r\n\r\n"),
        PING.replace(b"\r\n\r\n", b"\r\nX-Padding: " + b"x" * 2048 + b"\r\n\r\n"),
        b"POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n",
        b"POST /build HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        PING.replace(b"\r\n", b"\n"),
    ],
    ids=["credentials", "registry", "long", "length", "chunked", "bare line feeds"],
)
async def test_these_heads_are_read_each_time(data):
    known = KnownHeads()
    for _ in range(2):
        _, was_known = await Reader(known).head(data)
        assert not was_known


@pytest.mark.parametrize("cut", [1, len(PING) - 1])
async def test_a_known_head_that_comes_in_pieces_is_read_by_h11(cut):
    known = KnownHeads()
    await Reader(known).head(PING)
    reader = Reader(known)
    async with trio.open_nursery() as nursery:
        await reader.peer.send_all(PING[:cut])
        assert await reader.incoming.wait_request()
        assert reader.incoming.known_head() is None
        nursery.start_soon(reader.peer.send_all, PING[cut:])
        assert (await reader.incoming.read_head()).request.path == "/_ping"


async def test_requests_that_come_together_are_answered_one_after_the_other():
    known = KnownHeads()
    await Reader(known).head(PING)
    reader = Reader(known)
    other = PING.replace(b"_ping", b"info")
    head, was_known = await reader.head(PING + other)
    assert not was_known
    assert head.request.path == "/_ping"
    reader.incoming.next_request()
    assert await reader.incoming.wait_request()
    assert reader.incoming.known_head() is None
    assert (await reader.incoming.read_head()).request.path == "/info"


async def test_a_request_that_comes_while_a_known_one_is_answered_is_kept():
    known = KnownHeads()
    await Reader(known).head(PING)
    reader = Reader(known)
    _, was_known = await reader.head(PING)
    assert was_known
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader.incoming.wait_gone)
        await reader.peer.send_all(PING)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    reader.incoming.next_request()
    assert await reader.incoming.wait_request()
    assert (await reader.incoming.read_head()).request.path == "/_ping"


async def test_a_known_head_is_not_parsed(monkeypatch):
    known = KnownHeads()
    await Reader(known).head(PING)
    monkeypatch.setattr(h11.Connection, "receive_data", lambda *_: pytest.fail("h11 was asked"))
    reader = Reader(known)
    for _ in range(3):
        _, was_known = await reader.head(PING)
        assert was_known
        reader.incoming.next_request()


async def test_only_the_latest_heads_are_kept():
    known = KnownHeads()
    for number in range(600):
        await Reader(known).head(PING.replace(b"a=1", b"a=%d" % number))
    found = [
        number
        for number in range(600)
        if known.find(PING.replace(b"a=1", b"a=%d" % number), HERE) is not None
    ]
    assert found == list(range(88, 600))
