"""TLS with half-close, tested with itself, with trio's stream, and with blocking sockets."""

import pytest
import trio
import trio.testing

from swarmcore.http.tls import TLSStream
from tests.component.http.tls.pairs import (
    CHUNK,
    MUCH,
    digest,
    read_all,
    socket_ends,
    tcp_socket_pair,
    tls_pair,
)


@pytest.mark.parametrize("side", ["client", "server"])
async def test_the_other_direction_goes_on_after_an_end(contexts, side):
    client, server = await tls_pair(contexts, socket_ends())
    first, second = (client, server) if side == "client" else (server, client)
    async with first, second:
        await first.send_all(b"question")
        await first.send_eof()
        assert await read_all(second) == b"question"
        assert await second.receive_some() == b""
        await second.send_all(b"answer")
        await second.send_eof()
        assert await read_all(first) == b"answer"


async def test_received_data_survives_our_end(contexts):
    client, server = await tls_pair(contexts, trio.testing.memory_stream_pair())
    await server.send_all(MUCH[:CHUNK])
    head = await client.receive_some(10)
    await client.send_eof()
    await server.send_all(b"late")
    await server.send_eof()
    assert head + await read_all(client) == MUCH[:CHUNK] + b"late"
    assert await server.receive_some() == b""


async def test_ten_megabytes_each_way_against_trios_stream(contexts):
    ours, theirs = socket_ends()
    client = TLSStream(ours, contexts[0], server_hostname="localhost")
    server = trio.SSLStream(theirs, contexts[1], server_side=True)
    seen = {}

    async def serve():
        seen["server"] = digest(await read_all(server))
        await server.send_all(MUCH[::-1])
        await server.aclose()

    async def send():
        await client.send_all(MUCH)
        await client.send_eof()

    async with client, trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await client.do_handshake()
        nursery.start_soon(send)
        seen["client"] = digest(await read_all(client))
    assert seen == {"server": digest(MUCH), "client": digest(MUCH[::-1])}


@pytest.mark.parametrize("side", ["client", "server"])
async def test_ten_megabytes_each_way_against_blocking_sockets(contexts, side):
    ours, theirs = tcp_socket_pair()
    blocking = contexts[1] if side == "client" else contexts[0]

    def serve():
        name = None if side == "client" else "localhost"
        with blocking.wrap_socket(theirs, server_side=not name, server_hostname=name) as peer:
            data = b"".join(iter(lambda: peer.recv(CHUNK), b""))
            peer.sendall(MUCH[::-1])
            peer.unwrap().close()
            return digest(data)

    stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
    if side == "client":
        stream = TLSStream(stream, contexts[0], server_hostname="localhost")
    else:
        stream = TLSStream(stream, contexts[1], server_side=True)
    seen = []

    async def run_peer():
        seen.append(await trio.to_thread.run_sync(serve))

    async with stream, trio.open_nursery() as nursery:
        nursery.start_soon(run_peer)
        await stream.do_handshake()
        await stream.send_all(MUCH)
        await stream.send_eof()
        assert digest(await read_all(stream)) == digest(MUCH[::-1])
    assert seen == [digest(MUCH)]


async def test_receiving_goes_on_while_sending_waits_for_the_peer(contexts):
    client, server = await tls_pair(contexts, socket_ends())

    async def echo():
        while data := await server.receive_some():
            await server.send_all(data)
        await server.send_eof()

    async def send():
        await client.send_all(MUCH)
        await client.send_eof()

    with trio.fail_after(100):
        async with client, server, trio.open_nursery() as nursery:
            nursery.start_soon(echo)
            nursery.start_soon(send)
            assert digest(await read_all(client)) == digest(MUCH)
