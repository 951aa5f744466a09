"""One request and its answer on one connection; the answer may arrive while the body is sent.

The retry rule: a request is sent once more, on a new connection, only if a kept connection turned
out to be dead, and either our own kernel refused to send on it (the server has read nothing), or
the request can safely be repeated and no byte of an answer had arrived.
"""

from collections.abc import Callable
from dataclasses import dataclass

import h11
import trio

from swarmcore.errors import EngineUnreachable
from swarmcore.http.chunks import LAST_CHUNK, Chunks, MalformedChunk, PlainChunks
from swarmcore.http.client.connection import Connection
from swarmcore.http.client.outgoing import Outgoing
from swarmcore.http.client.pool import Pool
from swarmcore.http.headers import is_chunked
from swarmcore.http.messages import Headers
from swarmcore.http.plain_heads import read_plain_head
from swarmcore.http.streams import BROKEN

#: Methods that can safely be repeated.
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer."""

    status: int
    headers: Headers
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class TakenConnection:
    """A connection that has left HTTP, and the data received after the answer's head."""

    stream: trio.abc.HalfCloseableStream
    early: bytes


class Call:
    """One request and its answer; one task may send while another receives.

    Args:
        pool: the pool that the connection is from.
        connection: a connection that is ready for a request.
        request: the head of the request.
        body: the complete body; if it is empty and the head announces a body, it is streamed.
        permit: called just before the head is sent; its exceptions are passed on.
    """

    def __init__(
        self,
        pool: Pool,
        connection: Connection,
        request: Outgoing,
        body: bytes,
        permit: Callable[[], None] | None = None,
    ) -> None:
        self._pool = pool
        self._connection = connection
        self._request = request
        self._body = body
        self._permit = permit
        self._continued = trio.Event()
        self._taken = False
        #: Whether h11 was given nothing of this exchange, as long as all is plain.
        self._plain = False
        #: The head of the answer, if it is plain.
        self._head = b""
        #: Remaining bytes of a body with a length, if its head is plain.
        self._left = 0
        #: Decodes a chunked body, until h11 has to read the rest.
        self._chunks: PlainChunks | None = None
        #: Headers after the last chunk.
        self.trailers: Headers = ()

    # ---- streaming the request's body

    async def send(self, data: bytes) -> None:
        """Send a piece of the body.

        Raises:
            EngineUnreachable: the connection broke; an answer may have arrived nevertheless.
        """
        await self._send(h11.Data(data=data))

    async def finish(self) -> None:
        """End the body.

        Raises:
            EngineUnreachable: the connection broke.
        """
        await self._send(h11.EndOfMessage())

    async def wait_continue(self) -> None:
        """Wait until the server asks for the body with ``100 Continue``."""
        await self._continued.wait()

    async def send_chunks(self, chunks: Chunks) -> None:
        """Send a piece of a body that is in chunks already; only if ``sends_chunks``.

        Args:
            chunks: may be changed as soon as another task runs.

        Raises:
            EngineUnreachable: see ``send``.
        """
        try:
            await self._connection.send_pieces(chunks.framed)
        except BROKEN as error:
            raise self._broken(error) from error

    @property
    def sends_chunks(self) -> bool:
        """Whether the body of the request is chunked."""
        return self._request.length is None

    async def _send(self, event: h11.Event) -> None:
        connection = self._connection
        try:
            # The data is one of the pieces, and not copied.
            if pieces := connection.h11.send_with_data_passthrough(event):
                await connection.send_pieces(pieces)
        except (*BROKEN, h11.LocalProtocolError) as error:
            raise self._broken(error) from error

    async def begin(self) -> None:
        """Send the head, and the body if it was given.

        Raises:
            EngineUnreachable: the connection broke.
        """
        try:
            await self._send_request()
        except BROKEN as error:
            # Our own kernel refused to send: the server had closed the connection before.
            if not self._connection.reused:
                raise self._broken(error) from error
            await self._begin_afresh()

    async def _begin_afresh(self) -> None:
        self._connection = await self._pool.replace(self._connection)
        await self.begin()

    async def _send_request(self) -> None:
        connection = self._connection
        if self._permit is not None:
            self._permit()
        self._plain = self._request.length == len(self._body)
        data = self._request.head + self._body if self._plain else self._write_by_h11()
        await connection.send(data)

    def _write_by_h11(self) -> bytes:
        """The head and the body that was given, with which h11 follows the exchange from now on."""
        connection = self._connection
        data = connection.h11.send(self._request.event()) or b""
        if self._body:
            data += connection.h11.send(h11.Data(data=self._body)) or b""
        if not self._is_streamed:
            data += connection.h11.send(h11.EndOfMessage()) or b""
        return data

    @property
    def _is_streamed(self) -> bool:
        """Whether the body is sent by ``send``."""
        return not self._body and self._request.length != 0

    # ---- the answer

    async def read_head(self) -> Head:
        """Read the head of the answer; informational answers other than 101 are skipped.

        Raises:
            EngineUnreachable: there is no answer.
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
        is_repeatable = self._request.method in _REPEATABLE and not self._is_streamed
        return connection.reused and not connection.heard and is_repeatable

    async def _read_head(self) -> Head:
        if self._plain and (head := await self._read_plain_head()):
            return head
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                self._connection.read_in_head(await self._receive())
            elif isinstance(event, h11.Response) or (
                isinstance(event, h11.InformationalResponse) and event.status_code == 101
            ):
                headers = tuple(event.headers.raw_items())
                if self._is_chunked(event.status_code, headers):
                    self._chunks = PlainChunks()
                return Head(event.status_code, headers, bytes(event.reason))
            elif isinstance(event, h11.InformationalResponse):
                if event.status_code == 100:
                    self._continued.set()
            else:
                raise self._pool.unreachable(": closed the connection unasked", sent=True)

    async def _read_plain_head(self) -> Head | None:
        """The head of the answer, without h11; ``None`` if h11 has to read it."""
        connection = self._connection
        try:
            self._head = await connection.receive_head() or b""
        except BROKEN as error:
            raise self._broken(error) from error
        head = read_plain_head(self._head, is_head=self._request.method == "HEAD")
        if head is None:
            connection.early, self._head = self._head + connection.early, b""
            self._turn_to_h11()
            return None
        if head.length is None:
            self._chunks = PlainChunks()
        else:
            self._left = head.length
        return Head(head.status, head.headers, head.reason)

    def _turn_to_h11(self) -> None:
        """Have h11 read what comes next: what it has not seen so far is repeated for it."""
        self._plain = False
        self._write_by_h11()
        if self._head:
            self._connection.h11.receive_data(self._head)
            self._next_event()

    def _is_chunked(self, status: int, headers: Headers) -> bool:
        """Whether a chunked body follows; a head may say so even if there is no body."""
        has_body = self._request.method != "HEAD" and status not in (101, 204, 304)
        return has_body and is_chunked(headers)

    async def read_data(self) -> bytes:
        """Read what has arrived of the body, at least one byte; ``b""`` at its end.

        Raises:
            EngineUnreachable: the connection broke before the end of the body.
        """
        if chunks := await self.read_chunks():
            return b"".join(chunks.data)
        if self._plain:
            return await self._read_left()
        pieces: list[bytes] = []
        while True:
            event = self._next_event()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                continue
            if isinstance(event, h11.EndOfMessage):
                self.trailers = tuple(event.headers.raw_items())
            if pieces or event is not h11.NEED_DATA:
                break
            self._connection.h11.receive_data(await self._receive())
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def read_chunks(self) -> Chunks | None:
        """Read what has arrived of a chunked body, at least one byte.

        Returns:
            Pieces that are valid until another task runs; ``None`` if there are none, or if only
            ``read_data`` can read what comes next.

        Raises:
            EngineUnreachable: the connection broke before the end of the body.
        """
        while self._chunks is not None:
            chunks = self._split(self._chunks, *await self._receive_shared())
            if chunks.data:
                return chunks
        return None

    def _split(self, chunks: PlainChunks, received: bytes | bytearray, size: int) -> Chunks:
        try:
            found = chunks.split(received, size)
        except MalformedChunk as error:
            raise self._malformed(error) from None
        if not size or chunks.rest is not None:
            self._chunks = None
            self._end_chunks(chunks)
        return found

    def _end_chunks(self, chunks: PlainChunks) -> None:
        rest = chunks.rest or b""
        if self._plain and chunks.ended:
            self._connection.early = rest[len(LAST_CHUNK) :]
            self._connection.complete = True
            return
        if self._plain:
            self._turn_to_h11()
        self._connection.h11.receive_data(rest)

    async def _read_left(self) -> bytes:
        """Read what has arrived of a body with a length, without h11."""
        connection = self._connection
        if not self._left:
            connection.complete = True
            return b""
        data = await self._receive()
        if not data:
            raise self._malformed(EOFError())
        data, connection.early = data[: self._left], data[self._left :]
        self._left -= len(data)
        connection.complete = not self._left
        return data

    async def read_all(self, limit: int) -> bytes:
        """Read the complete body.

        Args:
            limit: maximum size in bytes.

        Raises:
            EngineError: the body is larger.
            EngineUnreachable: the connection broke before the end of the body.
        """
        pieces: list[bytes] = []
        size = 0
        while data := await self.read_data():
            size += len(data)
            if size > limit:
                asked = f"{self._request.method} {self._request.target}"
                text = f": the answer to {asked} is over {limit // (1024 * 1024)} MiB"
                raise self._pool.failure(text)
            pieces.append(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next_event(self) -> object:
        connection = self._connection
        if connection.h11.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED):
            return h11.PAUSED  # the answer is complete
        try:
            return connection.h11.next_event()
        except h11.RemoteProtocolError as error:
            raise self._malformed(error) from None

    def _malformed(self, error: Exception) -> EngineUnreachable:
        text = f": malformed answer: {error}"
        if self._connection.ended:
            text = ": the connection ended before the answer did"
        return self._pool.unreachable(text, sent=True)

    async def _receive(self) -> bytes:
        try:
            return await self._connection.receive()
        except BROKEN as error:
            raise self._broken(error) from error

    async def _receive_shared(self) -> tuple[bytes | bytearray, int]:
        try:
            return await self._connection.receive_shared()
        except BROKEN as error:
            raise self._broken(error) from error

    # ---- leaving HTTP

    def take_over(self) -> TakenConnection:
        """Take the raw connection out of the call; the caller must close it."""
        self._taken = True
        connection = self._connection
        return TakenConnection(connection.stream, connection.unread)

    def _broken(self, error: Exception) -> EngineUnreachable:
        """The error for a connection that broke during a request; ssh adds its own message."""
        why = f": {error}" if str(error) else ""
        return self._pool.unreachable(f": the connection broke{why}", sent=True)

    @property
    def is_complete(self) -> bool:
        """Whether the exchange is complete, so that the connection may be used again."""
        return not self._taken and self._connection.is_reusable

    def release(self) -> Connection:
        """The connection, ready for the next request; only if ``is_complete``."""
        self._connection.next_cycle()
        return self._connection

    async def close(self) -> None:
        """Keep the connection if the exchange is complete, otherwise close it at once."""
        if self._taken:
            return
        if self.is_complete:
            await self._pool.give_back(self.release())
        else:
            await trio.aclose_forcefully(self._connection.stream)
