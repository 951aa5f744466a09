"""A line between a manager and an embedded engine, which a test can damage."""

import re
from contextlib import asynccontextmanager

import trio

from swarmcore.addresses import Address
from swarmcore.http.streams import BROKEN

_PIECE_BYTES = 1 << 16


class Line:
    """Relays connections to an engine.

    Attributes:
        accepted: how many connections were opened.
    """

    def __init__(self, engine):
        self._engine = engine
        self._port = 0
        self._streams = set()
        self._answers = []
        self._silent = []
        self._dribbling = []
        self.accepted = 0

    @property
    def address(self):
        return str(Address("tcp", "127.0.0.1", self._port))

    @asynccontextmanager
    async def relaying(self):
        """Relay during the block."""
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            self._port = listeners[0].socket.getsockname()[1]
            await nursery.start(trio.serve_listeners, self._relay, listeners)
            yield self
            nursery.cancel_scope.cancel()

    def answer(self, pattern, data, *, closes=True):
        """Answer requests whose head matches a regular expression with *data*.

        Args:
            pattern: of bytes, searched from the beginning of the head.
            data: sent as it is.
            closes: whether the connection is closed after it; otherwise it stays open and silent.
        """
        self._answers.insert(0, (re.compile(pattern), data, closes))

    def silence(self, pattern):
        """Hold back the answers to requests whose head matches, also those under way."""
        self._silent.append(re.compile(pattern))

    def dribble(self, pattern, seconds):
        """Send the answers to requests whose head matches one byte at a time.

        Args:
            pattern: as for ``answer``.
            seconds: pause after each byte.
        """
        self._dribbling.append((re.compile(pattern), seconds))

    def behave(self):
        """End every damage; answers that were held back are lost."""
        self._answers.clear()
        self._silent.clear()
        self._dribbling.clear()

    def break_all(self):
        """Close every connection."""
        for stream in list(self._streams):
            stream.socket.close()
        self._streams.clear()

    async def _relay(self, client):
        self.accepted += 1
        host, port = self._engine.address.rsplit(":", 1)
        self._streams.add(client)
        try:
            async with client, await trio.open_tcp_stream(host, int(port)) as engine:
                await _Relay(self, client, engine).run()
        except (*BROKEN, OSError):
            pass  # one side has closed the connection
        finally:
            self._streams.discard(client)

    def scripted(self, head):
        """Return the answer to a request and whether the connection closes; or nothing."""
        found = [(data, closes) for pattern, data, closes in self._answers if pattern.match(head)]
        return found[0] if found else None

    def pause_of(self, head):
        """Return the seconds after each byte of an answer; 0 to relay it as it comes."""
        return max((each for pattern, each in self._dribbling if pattern.match(head)), default=0)

    def is_silent(self, head):
        return any(pattern.match(head) for pattern in self._silent)


class _Relay:
    """One connection of a line."""

    def __init__(self, line, client, engine):
        self._line, self._client, self._engine = line, client, engine
        self._head = b""

    async def run(self):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_answers, nursery.cancel_scope)
            await self._take_requests()
            nursery.cancel_scope.cancel()

    async def _take_requests(self):
        try:
            while data := await self._client.receive_some(_PIECE_BYTES):
                if re.match(rb"[A-Z]+ /", data):
                    self._head = data
                if (scripted := self._line.scripted(self._head)) is None:
                    await self._engine.send_all(data)
                    continue
                answer, closes = scripted
                await self._client.send_all(answer)
                if closes:
                    return
        except BROKEN:
            pass

    async def _send_answers(self, both):
        try:
            while data := await self._engine.receive_some(_PIECE_BYTES):
                if self._line.is_silent(self._head):
                    continue
                pause = self._line.pause_of(self._head)
                step = 1 if pause else len(data)
                for at in range(0, len(data), step):
                    await self._client.send_all(data[at : at + step])
                    await trio.sleep(pause)
        except BROKEN:
            pass
        both.cancel()
