"""The receiving side of a client's connection, while another task reads the body."""

import h11
import pytest
import trio
import trio.testing

from swarmcore.errors import BadRequest
from swarmcore.http.messages import Client
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.heads import KnownHeads
from swarmcore.http.server.incoming import ClientGone, Incoming


async def test_a_client_that_leaves_is_noticed_although_it_once_sent_more_than_is_read_ahead():
    client, server = trio.testing.memory_stream_pair()
    limits = Limits()
    incoming = Incoming(server, Client("10.0.0.9"), limits, KnownHeads())
    size = 2 * limits.ahead_bytes
    head = b"POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    await client.send_all(head)
    await incoming.read_head()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await client.send_all(bytes(size))
            nursery.start_soon(incoming.wait_gone)
            await trio.testing.wait_all_tasks_blocked()
            while size:
                size -= len(await incoming.read_chunk())
            await client.aclose()


LENGTH = b"POST /load HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST /load HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
NEXT = b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n"


async def read_request(incoming, *, watched=False):
    """The next request's path and body; *watched*: while another task waits for a disconnect."""
    if not await incoming.wait_request():
        return None
    head = incoming.known_head() or incoming.plain_head() or await incoming.read_head()
    body = b""
    async with trio.open_nursery() as nursery:
        if watched:
            nursery.start_soon(incoming.wait_gone)
            await trio.testing.wait_all_tasks_blocked()
        while data := await incoming.read_chunk():
            body += data
        nursery.cancel_scope.cancel()
    incoming.next_request()
    return head.request.path, body


async def say(client, data, size):
    """Send *data* in pieces of *size* bytes, and close."""
    async with client:
        for at in range(0, len(data), size):
            await client.send_all(data[at : at + size])
            await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("size", [1, 3, 50, 1000])
@pytest.mark.parametrize(
    "request_",
    [
        LENGTH + b"abcde",
        CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\n02;x=y\r\nde\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n",
        LENGTH.replace(b"\r\n", b"\n") + b"abcde",
    ],
    ids=["length", "chunked", "extension", "trailers", "line feeds"],
)
async def test_bodies_and_what_follows_them_are_read_however_they_come(
    nursery, request_, size, watched
):
    client, server = trio.testing.memory_stream_pair()
    incoming = Incoming(server, Client("10.0.0.9"), Limits(), KnownHeads())
    nursery.start_soon(say, client, request_ + NEXT + request_ + NEXT + NEXT, size)
    load, info = ("/load", b"abcde"), ("/info", b"")
    expected = [load, info, load, info, info]
    assert [await read_request(incoming, watched=watched) for _ in expected] == expected
    assert await read_request(incoming) is None


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (LENGTH + b"abc", ClientGone),
        (CHUNKED + b"5\r\nabc", ClientGone),
        (CHUNKED + b"3\r\nabc\r\n", ClientGone),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", ClientGone),
        (CHUNKED + b"3\r\nabcde\r\n" + b"x" * 100, BadRequest),
        (CHUNKED + b"zz\r\n" + b"x" * 100, BadRequest),
        (CHUNKED + b"3\r\nabc\r\nzz\r\n" + b"x" * 100, BadRequest),
    ],
)
async def test_a_body_that_is_cut_off_or_malformed_is_not_read_as_whole(
    nursery, request_, error, size
):
    client, server = trio.testing.memory_stream_pair()
    incoming = Incoming(server, Client("10.0.0.9"), Limits(), KnownHeads())
    nursery.start_soon(say, client, request_, size)
    with trio.fail_after(5), pytest.RaisesGroup(error):
        await read_request(incoming)


async def test_a_plain_request_costs_h11_nothing(nursery, monkeypatch):
    given, receive_data = [], h11.Connection.receive_data
    monkeypatch.setattr(
        h11.Connection,
        "receive_data",
        lambda self, data: given.append(data) or receive_data(self, data),
    )
    client, server = trio.testing.memory_stream_pair()
    incoming = Incoming(server, Client("10.0.0.9"), Limits(), KnownHeads())
    nursery.start_soon(client.send_all, CHUNKED + b"3\r\nabc\r\n0\r\n\r\n" + LENGTH + b"abcde")
    assert await read_request(incoming) == ("/load", b"abc")
    assert await read_request(incoming) == ("/load", b"abcde")
    assert given == []
