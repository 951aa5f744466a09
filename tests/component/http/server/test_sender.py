"""Pieces of an answer that are sent without waiting, to fast and slow clients."""

import pytest
import trio
import trio.testing

from swarmcore.http.server import Server

PIECE = b"x" * 999 + b"\n"


@pytest.fixture
async def connect(nursery):
    """Connect to a server of *handle* by TCP, with small buffers on both sides."""
    clients = []

    async def connect(handle):
        listener, *_ = await trio.open_tcp_listeners(0, host="127.0.0.1")
        listener.socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, 1 << 14)
        nursery.start_soon(Server(handle).run, [listener])
        client = trio.socket.socket()
        client.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 1 << 14)
        await client.connect(listener.socket.getsockname())
        clients.append(trio.SocketStream(client))
        return clients[-1]

    yield connect
    for client in clients:
        await client.aclose()


async def read_chunks(stream):
    """Return the chunks of an answer up to its end."""
    seen = b""
    while not seen.endswith(b"\r\n0\r\n\r\n"):
        data = await stream.receive_some()
        assert data, seen[-100:]
        seen += data
    body = seen.split(b"\r\n\r\n", 1)[1]
    *lines, _, _, _ = body.split(b"\r\n")
    assert [int(size, 16) for size in lines[::2]] == [*map(len, lines[1::2])]
    return lines[1::2]


async def test_a_slow_client_gets_all_pieces_in_order(connect):
    taken, full = [], trio.Event()

    async def handle(exchange):
        async with exchange.stream() as send:
            number = 0
            while send.now(piece := b"%06d" % number + PIECE):
                taken.append(piece)
                number += 1
            full.set()
            await send(b"last")

    client = await connect(handle)
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with trio.fail_after(5):
        await full.wait()
        assert await read_chunks(client) == [*taken, b"last"]
    assert len(taken) > 10


async def test_a_client_that_was_slow_is_sent_to_at_once_again(connect):
    again = trio.Event()

    async def handle(exchange):
        async with exchange.stream() as send:
            while send.now(PIECE):
                pass
            while not send.now(b"again"):
                await send(PIECE)
            again.set()

    client = await connect(handle)
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with trio.fail_after(5):
        chunks = await read_chunks(client)
    assert again.is_set()
    assert set(chunks) == {PIECE, b"again"}


async def test_nothing_is_sent_at_once_to_a_disconnected_client(connect):
    ended, go_on = trio.Event(), trio.Event()

    async def handle(exchange):
        try:
            async with exchange.stream() as send:
                while send.now(PIECE):
                    pass
                go_on.set()
                await trio.sleep_forever()
        finally:
            ended.set()

    client = await connect(handle)
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with trio.fail_after(5):
        await go_on.wait()
        await client.aclose()
        await ended.wait()


async def test_a_head_alone_takes_every_piece(connect):
    async def handle(exchange):
        async with exchange.stream() as send:
            assert send.now(PIECE)

    client = await connect(handle)
    await client.send_all(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    seen = b""
    while data := await client.receive_some():
        seen += data
    assert seen.endswith(b"\r\n\r\n")
    assert PIECE not in seen


async def test_other_streams_than_sockets_never_send_at_once(nursery):
    async def handle(exchange):
        async with exchange.stream() as send:
            assert not send.now(PIECE)
            await send(PIECE)

    client, side = trio.testing.memory_stream_pair()
    nursery.start_soon(Server(handle).serve_connection, side)
    await client.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await read_chunks(client) == [PIECE]
