"""Raw bytes in both directions of a tunnel."""

import contextlib
import random

import pytest
import trio
import trio.testing

from swarmcore.http.proxy.tunnel import tunnel


class Tunnelled:
    """A client's and an engine's end, with the tunnel between them."""

    def __init__(self, client, engine, done):
        self.client, self.engine, self.done = client, engine, done


@pytest.fixture
async def ends(nursery):
    client, client_side = trio.testing.memory_stream_pair()
    engine, engine_side = trio.testing.memory_stream_pair()
    done = trio.Event()

    async def run():
        await tunnel(client_side, engine_side)
        done.set()
        await client_side.aclose()
        await engine_side.aclose()

    nursery.start_soon(run)
    return Tunnelled(client, engine, done)


async def read_all(stream):
    seen = bytearray()
    while data := await stream.receive_some():
        seen += data
    return bytes(seen)


async def use_until_broken(stream):
    with contextlib.suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(b"x")


async def test_input_that_ends_does_not_end_the_output(ends):
    await ends.client.send_all(b"in")
    await ends.client.send_eof()
    assert await read_all(ends.engine) == b"in"
    await ends.engine.send_all(b"out, much later")
    await ends.engine.send_eof()
    assert await read_all(ends.client) == b"out, much later"
    await ends.done.wait()


async def test_output_that_ends_leaves_the_input_open_while_it_is_used(ends, autojump_clock):
    await ends.engine.send_eof()
    assert await ends.client.receive_some() == b""
    for _ in range(5):
        await trio.sleep(20)
        await ends.client.send_all(b"x")
        assert await ends.engine.receive_some() == b"x"
    await ends.client.send_eof()
    await ends.done.wait()


async def test_a_silent_client_is_closed_some_time_after_the_output_ended(ends, autojump_clock):
    started = trio.current_time()
    await ends.engine.send_eof()
    await ends.done.wait()
    assert trio.current_time() - started == pytest.approx(30)


async def test_silence_alone_does_not_end_a_tunnel(ends, autojump_clock):
    await trio.sleep(80_000)
    await ends.engine.send_all(b"still here")
    assert await ends.client.receive_some() == b"still here"


async def test_large_receives_are_used_only_for_much_data():
    """Memory for a large receive is mapped each time, which costs more than a small message."""
    asked, comes = [], [b"x", b"x" * (1 << 16), b"x" * (1 << 18), b"x", b""]

    class Engine(trio.abc.ReceiveStream):
        async def receive_some(self, max_bytes=None):
            asked.append(max_bytes)
            return comes.pop(0)

        async def aclose(self):
            pass

    ours, client_side = trio.testing.memory_stream_pair()
    engine_side = trio.StapledStream(trio.testing.MemorySendStream(), Engine())
    await ours.send_eof()
    await tunnel(client_side, engine_side)
    assert [size >> 10 for size in asked] == [64, 64, 256, 256, 64]


@pytest.mark.parametrize("side", ["client", "engine"])
async def test_a_side_that_vanishes_takes_the_other_with_it(ends, side):
    gone, left = (ends.client, ends.engine) if side == "client" else (ends.engine, ends.client)
    await gone.aclose()
    await use_until_broken(left)
    await ends.done.wait()


async def test_ten_megabytes_each_way_at_once_arrive_byte_for_byte():
    """With real sockets, which split and delay data."""
    there, back = random.Random(1).randbytes(10 << 20), random.Random(2).randbytes(10 << 20)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    received = {}

    async def engine(stream):
        async with stream:
            await talk(stream, back, "engine")

    async def talk(stream, data, name):
        async with trio.open_nursery() as both:

            @both.start_soon
            async def send():
                await stream.send_all(data)
                await stream.send_eof()

            received[name] = await read_all(stream)

    ours, client_side = trio.testing.memory_stream_pair()
    async with listeners[0], trio.open_nursery() as nursery:

        @nursery.start_soon
        async def accept():
            await engine(await listeners[0].accept())

        engine_side = await trio.testing.open_stream_to_socket_listener(listeners[0])
        async with engine_side:
            nursery.start_soon(talk, ours, there, "client")
            await tunnel(client_side, engine_side)
    assert received["client"] == back
    assert received["engine"] == there
