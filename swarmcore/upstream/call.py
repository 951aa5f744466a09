"""One request to an engine and its answer, over one connection.

Reads the answer while the body is still being sent, which httpx cannot.  Knows whether asking again
on a fresh connection is safe; where connections come from is ``upstream``'s matter.
"""

from dataclasses import dataclass
from typing import Protocol

import h11
import trio

from swarmcore.errors import EngineUnreachable
from swarmcore.messages import Headers
from swarmcore.streams import BROKEN, RECEIVE_BYTES
from swarmcore.transport.dial import is_readable

_HEAD_BYTES = 1 << 20
#: Asking twice does no harm.
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an engine's answer."""

    status: int
    headers: Headers
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class TakenConnection:
    """A connection that was HTTP until now, and what came after the answer's head."""

    stream: trio.abc.HalfCloseableStream
    early: bytes


class Connection:
    """One connection to an engine, and its h11 state."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self.h11 = h11.Connection(h11.CLIENT, _HEAD_BYTES)
        #: It has carried a request before, so the engine may have closed it since.
        self.reused = False
        #: Something of the current answer has arrived.
        self.heard = False
        #: A send was begun and not finished.
        self.sending = False
        #: The engine has shut its side.
        self.ended = False

    @property
    def is_stale(self) -> bool:
        """The engine has closed it, or said something nobody asked for."""
        return is_readable(self.stream)

    @property
    def is_reusable(self) -> bool:
        return (
            self.h11.our_state is h11.DONE
            and self.h11.their_state is h11.DONE
            and not self.sending
            and not self.h11.trailing_data[0]
        )

    async def send(self, data: bytes) -> None:
        self.sending = True
        await self.stream.send_all(data)
        self.sending = False

    def next_cycle(self) -> None:
        self.h11.start_next_cycle()
        self.reused = True
        self.heard = False


class Pool(Protocol):
    """Where a call's connections come from and go to."""

    async def connect(self) -> Connection:
        """A fresh connection."""
        ...

    async def give_back(self, connection: Connection) -> None:
        """Keep a connection whose exchange is complete."""
        ...

    def unreachable(self, message: str, *, sent: bool) -> EngineUnreachable:
        """An error that names the engine."""
        ...


class Call:
    """One request to an engine and its answer; one task may send while another receives."""

    def __init__(
        self, pool: Pool, connection: Connection, request: h11.Request, body: bytes
    ) -> None:
        self._pool = pool
        self._connection = connection
        self._request = request
        self._body = body
        self._continued = trio.Event()
        self._taken = False
        #: What followed the last chunk.
        self.trailers: Headers = ()

    # ---- the request's body, when it is streamed

    async def send(self, data: bytes) -> None:
        """A piece of the body.

        Raises:
            EngineUnreachable: the connection broke; an answer may have come all the same.
        """
        await self._send(h11.Data(data=data))

    async def finish(self) -> None:
        """The end of the body.

        Raises:
            EngineUnreachable: as for ``send``.
        """
        await self._send(h11.EndOfMessage())

    async def wait_continue(self) -> None:
        """Wait until the engine asks for the body with ``100 Continue``."""
        await self._continued.wait()

    async def _send(self, event: h11.Event) -> None:
        connection = self._connection
        try:
            data = connection.h11.send(event)
            if data:
                await connection.send(data)
        except (*BROKEN, h11.LocalProtocolError) as error:
            raise self._broken(error) from error

    async def begin(self) -> None:
        """Send the head, and the body where it was given.

        Raises:
            EngineUnreachable: the connection broke.
        """
        try:
            await self._send_request()
        except BROKEN as error:
            # Refused by our own kernel: the engine closed an idle connection and has read nothing.
            if not self._connection.reused:
                raise self._broken(error) from error
            await self._begin_afresh()

    async def _begin_afresh(self) -> None:
        await trio.aclose_forcefully(self._connection.stream)
        self._connection = await self._pool.connect()
        await self.begin()

    async def _send_request(self) -> None:
        connection = self._connection
        data = connection.h11.send(self._request) or b""
        if self._body:
            data += connection.h11.send(h11.Data(data=self._body)) or b""
        if not _is_streamed(self._request, self._body):
            data += connection.h11.send(h11.EndOfMessage()) or b""
        await connection.send(data)

    # ---- the answer

    async def read_head(self) -> Head:
        """The answer's head; 101 included, other informational ones not.

        Raises:
            EngineUnreachable: there is none.
        """
        try:
            return await self._read_head()
        except EngineUnreachable:
            if not self._may_repeat():
                raise
        await self._begin_afresh()
        return await self._read_head()

    def _may_repeat(self) -> bool:
        connection = self._connection
        method = self._request.method.decode("ascii")
        streamed = _is_streamed(self._request, self._body)
        return connection.reused and not connection.heard and not streamed and method in _REPEATABLE

    async def _read_head(self) -> Head:
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.Response) or (
                isinstance(event, h11.InformationalResponse) and event.status_code == 101
            ):
                headers = tuple(event.headers.raw_items())
                return Head(event.status_code, headers, bytes(event.reason))
            elif isinstance(event, h11.InformationalResponse):
                if event.status_code == 100:
                    self._continued.set()
            else:
                raise self._pool.unreachable("closed the connection unasked", sent=True)

    async def read_data(self) -> bytes:
        """All of the body that has arrived, at least one byte; ``b""`` at its end.

        Raises:
            EngineUnreachable: the connection broke before the end.
        """
        pieces: list[bytes] = []
        while True:
            event = self._next_event()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                continue
            if pieces:
                if isinstance(event, h11.EndOfMessage):
                    self._end(event)
                break
            if isinstance(event, h11.EndOfMessage):
                self._end(event)
            if event is not h11.NEED_DATA:
                break
            await self._receive()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _end(self, event: h11.EndOfMessage) -> None:
        self.trailers = tuple(event.headers.raw_items())

    def _next_event(self) -> object:
        connection = self._connection
        if connection.h11.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED):
            return h11.PAUSED  # the answer is complete
        try:
            return connection.h11.next_event()
        except h11.RemoteProtocolError as error:
            text = f"malformed answer: {error}"
            if connection.ended:
                text = "the connection ended before the answer did"
            raise self._pool.unreachable(text, sent=True) from None

    async def _receive(self) -> None:
        connection = self._connection
        try:
            data = await connection.stream.receive_some(RECEIVE_BYTES)
        except BROKEN as error:
            raise self._broken(error) from error
        if data:
            connection.heard = True
        else:
            connection.ended = True
        connection.h11.receive_data(bytes(data))

    # ---- leaving HTTP

    def take_over(self) -> TakenConnection:
        """The raw connection; the caller closes it."""
        self._taken = True
        connection = self._connection
        return TakenConnection(connection.stream, connection.h11.trailing_data[0])

    def _broken(self, error: Exception) -> EngineUnreachable:
        """An error for a connection that failed under a request; ssh says why in its own words."""
        why = f": {error}" if str(error) else ""
        return self._pool.unreachable(f"the connection broke{why}", sent=True)

    async def close(self) -> None:
        """Keep the connection if the exchange is complete, else close it at once."""
        if self._taken:
            return
        if self._connection.is_reusable:
            await self._pool.give_back(self._connection)
        else:
            await trio.aclose_forcefully(self._connection.stream)


class StreamedAnswer:
    """An answer read piece by piece; may be left at any point.

    Args:
        head: its head.
        call: whose answer it is.
    """

    def __init__(self, head: Head, call: Call) -> None:
        self.status = head.status
        self.headers = head.headers
        self._call = call

    def __aiter__(self) -> "StreamedAnswer":
        return self

    async def __anext__(self) -> bytes:
        data = await self._call.read_data()
        if not data:
            raise StopAsyncIteration
        return data


def _is_streamed(request: h11.Request, body: bytes) -> bool:
    if body:
        return False
    for name, value in request.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return True
    return False
