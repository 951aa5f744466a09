"""A raw client, and a scripted engine."""

import trio
import trio.testing

from swarmcore.addresses import parse_address
from swarmcore.http.client import HTTPClient
from swarmcore.node import Node
from swarmcore.versions import ApiVersion

HOST = b"Host: manager\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
BARE = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
UPGRADE = (b"Connection: Upgrade", b"Upgrade: tcp")


class ScriptedEngine:
    """The part of an engine that ``relay`` needs; *script* handles each connection."""

    def __init__(self, nursery, script, speaks=((1, 12), (1, 41))):
        self.node = Node("id", "engine:2375")
        self.node.min_api_version, self.node.api_version = (ApiVersion(*each) for each in speaks)
        self.address = parse_address("engine:2375")
        self.http = HTTPClient(self, "n1")
        self.contacts = 0
        self.errors = []
        self.closed = trio.Event()
        self._nursery = nursery
        self._script = script

    async def dial(self):
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._play, theirs)
        return ours

    async def _play(self, stream):
        async with stream:
            await self._script(Wire(stream))
        self.closed.set()

    def contacted(self):
        self.contacts += 1

    def lost_contact(self, error):
        self.errors.append(error)


class Wire:
    """One end of a connection."""

    def __init__(self, stream):
        self.stream = stream
        self.seen = b""

    async def say(self, data):
        await self.stream.send_all(data)

    async def ask(self, line, *headers, body=b""):
        lines = b"".join(header + b"\r\n" for header in headers)
        await self.say(line + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body)

    async def until(self, end):
        """Receive up to and including *end*."""
        while end not in self.seen:
            data = await self.stream.receive_some()
            assert data, f"closed after {self.seen!r}"
            self.seen += data
        text, _, self.seen = self.seen.partition(end)
        return text + end

    async def head(self):
        return await self.until(b"\r\n\r\n")

    async def rest(self):
        """Receive until the end."""
        while data := await self.stream.receive_some():
            self.seen += data
        return self.seen


def answering(text, heard=None):
    """Return a script that answers every request with *text*, and records requests in *heard*."""

    async def script(wire):
        while True:
            while b"\r\n\r\n" not in wire.seen:
                data = await wire.stream.receive_some()
                if not data:
                    return
                wire.seen += data
            request = await wire.head()
            if heard is not None:
                heard.append(request)
            await wire.say(text)

    return script
