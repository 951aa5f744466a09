"""How the proxy forwards the bodies of answers."""

import pytest
import trio

from tests.component.http.proxy.relaying import CHUNKED, answering


async def test_a_stream_stays_chunked_with_one_flush_per_read_and_its_trailers(through):
    go_on = trio.Event()

    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        await wire.say(b"4\r\none\n\r\n")
        await go_on.wait()
        await wire.say(b"4\r\ntwo\n\r\n0\r\nX-Sum: 1\r\n\r\n")

    client, _ = through(script)
    await client.ask(b"GET /logs")
    assert b"Transfer-Encoding: chunked\r\n" in await client.head()
    assert await client.until(b"one\n\r\n") == b"4\r\none\n\r\n"
    go_on.set()
    assert await client.until(b"1\r\n\r\n") == b"4\r\ntwo\n\r\n0\r\nX-Sum: 1\r\n\r\n"


async def test_small_chunks_received_together_are_sent_as_one(through):
    """Engines send each line of `docker logs` as a chunk; one send for each would be too slow."""
    line = b"\1\0\0\0\0\0\0\x64" + b"x" * 99 + b"\n"

    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED + b"6c\r\n%b\r\n" % line * 10_000 + b"0\r\n\r\n")

    client, _ = through(script)
    await client.ask(b"GET /logs")
    await client.head()
    sizes = []
    while size := int(await client.until(b"\r\n"), 16):
        while len(client.seen) < size + 2:
            client.seen += await client.stream.receive_some()
        assert client.seen[:size].count(line[:8]) == pytest.approx(size / 108, abs=1)
        client.seen = client.seen[size + 2 :]
        sizes.append(size)
    assert sum(sizes) == 10_000 * 108
    assert len(sizes) <= 6


async def test_the_head_does_not_wait_for_the_body(through):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        await wire.rest()

    client, _ = through(script)
    await client.ask(b"POST /wait")
    assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_http_1_0_gets_the_bare_body_and_the_end(through):
    client, _ = through(answering(CHUNKED + b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"))
    await client.say(b"GET /logs HTTP/1.0\r\n\r\n")
    head = await client.head()
    assert head.startswith(b"HTTP/1.0 200 ")
    assert b"chunked" not in head
    assert await client.rest() == b"one\ntwo\n"


async def test_an_answer_until_the_end_becomes_one_with_an_end(through):
    async def script(wire):
        await wire.head()
        await wire.say(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nNo such container")

    client, _ = through(script)
    await client.ask(b"POST /attach")
    await client.until(b"No such container\r\n0\r\n\r\n")
    await client.ask(b"POST /attach")
    await client.until(b"No such container\r\n0\r\n\r\n")


async def test_output_arrives_before_the_end_of_the_input(through):
    async def script(wire):
        await wire.head()
        await wire.say(CHUNKED)
        for _ in range(3):
            await wire.until(b"\r\nin\r\n")
            await wire.say(b"3\r\nout\r\n")
        await wire.until(b"0\r\n\r\n")
        await wire.say(b"0\r\n\r\n")

    client, _ = through(script)
    await client.ask(b"POST /build", b"Transfer-Encoding: chunked")
    for _ in range(3):
        await client.say(b"2\r\nin\r\n")
        await client.until(b"3\r\nout\r\n")
    await client.say(b"0\r\n\r\n")
    await client.until(b"0\r\n\r\n")
