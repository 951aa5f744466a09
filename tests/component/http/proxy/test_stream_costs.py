"""What a stream costs the proxy, as counts: system calls, and bytes that are copied."""

import os
import socket
from types import SimpleNamespace

import pytest
import trio
from swarmcore_api_docker.compat.stream_errors import OutputErrorTail

from swarmcore.http import plain_sockets
from swarmcore.http.plain_sockets import SHARED, quickened
from swarmcore.http.proxy import relay
from swarmcore.http.server import Server
from swarmcore.protocols import ResponseHooks
from swarmcore.versions import ApiVersion
from tests.component.http.proxy.relaying import CHUNKED, OK, ScriptedEngine, Wire

#: Fits into the buffers of a socket, so that it is received and sent at once.
PIECE = b"8000\r\n%b\r\n" % (b"\1\0\0\0\0\0\x7f\xf8" + bytes(0x7FF8)) * 2
PIECES = 50


class Counts:
    """Counts the system calls of all plain sockets.

    Attributes:
        receives, sends: numbers of calls.
        sent: bytes that were sent.
        uncopied: those of them that were sent from where they were received.
    """

    def __init__(self, monkeypatch):
        self.receives = self.sends = self.sent = self.uncopied = 0
        shim = SimpleNamespace(
            read=self._read, readv=self._readv, write=self._write, writev=self._writev
        )
        monkeypatch.setattr(plain_sockets, "os", shim)

    def _read(self, *arguments):
        data = os.read(*arguments)
        self.receives += 1
        return data

    def _readv(self, *arguments):
        count = os.readv(*arguments)
        self.receives += 1
        return count

    def _write(self, number, data):
        return self._writev(number, [data])

    def _writev(self, number, pieces):
        count = os.writev(number, pieces)
        self.sends += 1
        self.sent += count
        self.uncopied += sum(len(each) for each in pieces if getattr(each, "obj", 0) is SHARED)
        return count


async def open_pair():
    """Return trio's streams of two sockets, which are connected."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    return [trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in ends]


class SocketEngine(ScriptedEngine):
    """A scripted engine behind a socket of the kernel."""

    async def dial(self):
        ours, theirs = await open_pair()
        self._nursery.start_soon(self._play, theirs)
        return quickened(ours)


@pytest.fixture
async def by_sockets(nursery):
    """Make a client whose requests are relayed to a scripted engine, all by sockets."""
    opened = []

    async def by_sockets(script, **options):
        engine = SocketEngine(nursery, script)
        opened.append(engine.http)

        async def handle(exchange):
            await relay(exchange, engine, "/x", announced=ApiVersion(1, 40), **options)

        ours, theirs = await open_pair()
        nursery.start_soon(Server(handle).serve_connection, theirs)
        opened.append(ours)
        return Wire(ours)

    yield by_sockets
    for each in opened:
        await each.aclose()


async def step(source, sink, data):
    """Send *data* at *source*, and receive as many bytes at *sink*."""
    await source.say(data)
    left = len(data)
    with trio.fail_after(20):
        while left:
            left -= len(await sink.stream.receive_some(left))


class Held:
    """A script that reads a head, and leaves the connection to the test."""

    def __init__(self, answer=b""):
        self._answer = answer
        self._wires, self._taken = trio.open_memory_channel(1)
        self._ended = trio.Event()

    async def __call__(self, wire):
        await wire.head()
        await wire.say(self._answer)
        await self._wires.send(wire)
        await self._ended.wait()

    async def take(self):
        """Return the engine's end of the connection."""
        return await self._taken.receive()

    def end(self):
        """Close the connection."""
        self._ended.set()


@pytest.mark.parametrize("tail", [None, OutputErrorTail()], ids=["unseen", "logs"])
async def test_chunks_of_an_answer_are_sent_from_where_they_were_received(
    by_sockets, monkeypatch, tail
):
    script = Held(CHUNKED)
    client = await by_sockets(script, hooks=ResponseHooks(on_engine_lost=tail))
    await client.ask(b"GET /logs")
    await client.head()
    engine, counts = await script.take(), Counts(monkeypatch)
    for _ in range(PIECES):
        await step(engine, client, PIECE)
    assert (counts.receives, counts.sends) == (PIECES, PIECES)
    assert counts.uncopied == counts.sent == PIECES * len(PIECE)
    script.end()


async def test_chunks_of_a_request_are_sent_from_where_they_were_received(by_sockets, monkeypatch):
    script = Held()
    client = await by_sockets(script)
    await client.ask(b"PUT /archive", b"Transfer-Encoding: chunked", body=b"3\r\none\r\n")
    engine = await script.take()
    await engine.until(b"one\r\n")
    counts = Counts(monkeypatch)
    for _ in range(PIECES):
        await step(client, engine, PIECE)
    assert (counts.receives, counts.sends) == (PIECES, PIECES)
    assert counts.uncopied == counts.sent == PIECES * len(PIECE)
    await client.say(b"0\r\n\r\n")
    await engine.until(b"0\r\n\r\n")
    await engine.say(OK)
    await client.until(b"ok")
    script.end()
