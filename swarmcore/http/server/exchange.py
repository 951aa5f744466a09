"""One request and its answer on one connection, as handlers use it.

Handles framing and order, and ensures that there is one answer.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from swarmcore.errors import BadRequest, TooLarge
from swarmcore.http.chunks import Chunks
from swarmcore.http.framing import Framing, chunk, last_chunk
from swarmcore.http.messages import Answer, Headers, Request, json_answer
from swarmcore.http.plain_sockets import PlainSocket, Shortcut
from swarmcore.http.request_ids import add_request_id
from swarmcore.http.server.answer_heads import AnswerHeads
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.incoming import ClientGone, Incoming
from swarmcore.http.server.sender import Sender
from swarmcore.http.streams import BROKEN, EarlyStream, send_now, send_pieces
from swarmcore.http.strict_json import parse_body
from swarmcore.threads import in_thread

#: Larger JSON bodies are parsed in a thread, so that other requests are not blocked.
_QUICK_BYTES = 64 * 1024
#: Pieces of a large answer, each of which the client has to take in time.
_PIECE_BYTES = 256 * 1024
_heads = AnswerHeads()


class ServerExchange:
    """A request and its answer.

    Args:
        request: the head.
        stream: the client's connection, for sending.
        incoming: the client's connection, for receiving.
        limits: limits on bodies that are read completely.
        http10: whether the client uses HTTP/1.0.
        close: whether the connection ends after this answer.
    """

    def __init__(
        self,
        request: Request,
        stream: trio.abc.HalfCloseableStream,
        incoming: Incoming,
        limits: Limits,
        *,
        http10: bool = False,
        close: bool = False,
    ) -> None:
        self.request = request
        #: Headers that are added to every answer unless it has them itself.
        self.common_headers: Headers = ()
        #: The id of the request, which its answer has; empty for none.
        self.request_id = b""
        #: Whether the connection ends after this answer; if set early, the answer's head says so.
        self.close = close
        #: Whether the client uses HTTP/1.0.
        self.http10 = http10
        #: Whether the head of an answer has been sent.
        self.started = False
        #: Whether the answer is complete.
        self.ended = False
        #: Status of the answer; 0 before its head has been sent.
        self.status = 0
        #: Name of the node whose engine was asked last; empty if the manager answered.
        self.engine = ""
        #: Bytes received of the body, and after leaving HTTP.
        self.received = 0
        #: Bytes sent to the client.
        self.sent = 0
        #: Whether a handler took the connection over.
        self.taken = False
        #: Whether the client disconnected while it was watched, so that no answer is needed.
        self.left = False
        self._stream = stream
        self._incoming = incoming
        self._limits = limits
        #: The body, if it has been read completely.
        self.body: bytes | None = None
        self._framing = Framing.NONE

    def __repr__(self) -> str:
        return f"<ServerExchange {self.request.method} {self.request.target}>"

    # ---- the request's body

    @property
    def expecting(self) -> bool:
        """Whether the client waits for ``100 Continue``, which is sent when the body is read."""
        return self._incoming.expecting

    @property
    def body_complete(self) -> bool:
        """Whether the request's body has been read to its end."""
        return self._incoming.complete

    async def receive_chunk(self) -> bytes:
        """Read the next piece of the body; ``b""`` at its end.

        Raises:
            ClientGone: the client disconnected before the end of the body.
            BadRequest: the framing is malformed.
        """
        data = await self._incoming.read_chunk()
        self.received += len(data)
        return data

    async def receive_chunks(self) -> Chunks | None:
        """Read the next piece of a chunked body as it can be sent on.

        Returns:
            See ``Incoming.read_chunks``.

        Raises:
            ClientGone, BadRequest: see ``receive_chunk``.
        """
        chunks = await self._incoming.read_chunks()
        if chunks is not None:
            self.received += sum(map(len, chunks.data))
        return chunks

    async def read_body(self) -> bytes:
        """Read the complete body; may be called again.

        Raises:
            TooLarge: the body exceeds the limit for bodies that are parsed.
            BadRequest: the framing is malformed, or the body arrived too slowly.
        """
        if self.body is not None:
            return self.body
        pieces = []
        left = self._limits.parsed_body_bytes
        seconds = self._limits.parsed_body_seconds
        with trio.move_on_after(seconds):
            while data := await self.receive_chunk():
                left -= len(data)
                if left < 0:
                    limit = self._limits.parsed_body_bytes
                    raise TooLarge(f"request body is larger than {limit} bytes")
                pieces.append(data)
            self.body = b"".join(pieces)
            return self.body
        raise BadRequest(f"request body did not arrive within {seconds:g} seconds")

    async def read_json(self) -> Any:
        """Read the body as JSON; ``None`` for an empty body.

        Raises:
            BadRequest: see ``strict_json.parse_body``.
            TooLarge: the body exceeds the limit for bodies that are parsed.
        """
        body, kind = await self.read_body(), self.request.header("content-type")
        if len(body) <= _QUICK_BYTES:
            return parse_body(body, kind)
        return await in_thread(parse_body, body, kind)

    # ---- complete answers

    async def send(self, answer: Answer) -> None:
        """Send a complete answer with ``Content-Length``."""
        self._incoming.skip_arrived()
        headers = answer.headers
        if answer.status >= 200 and answer.status not in (204, 304):
            headers = (*headers, (b"Content-Length", b"%d" % len(answer.body)))
        head = self._begin(answer.status, headers)
        self.ended = True
        body = b"" if self._framing is Framing.NONE else answer.body
        if len(body) <= _QUICK_BYTES:
            await self._write(head + body)
        else:  # two sends cost less than a copy of the body
            await self._write(head)
            await self._write_large(body)

    async def send_json(self, value: Any, status: int = 200) -> None:
        """Send *value* as a JSON answer."""
        await self.send(json_answer(value, status))

    # ---- answers in pieces

    async def send_head(
        self, status: int, headers: Headers = (), *, reason: bytes = b"", first: bytes = b""
    ) -> None:
        """Begin an answer; its framing is derived from its headers.

        Args:
            status: 200 or above.
            headers: with ``Content-Length`` if the length is known; without ``Transfer-Encoding``.
            reason: replaces the default text of the status.
            first: the first piece of the body, which is sent together with the head.
        """
        head = self._begin(status, headers, reason)
        await self._write(head + self._frame(first))

    async def send_data(self, data: bytes) -> None:
        """Send a piece of the body at once."""
        if len(data) > _QUICK_BYTES and self._framing is Framing.CHUNKED:
            await self.send_chunks(Chunks.of(data))
        elif framed := self._frame(data):
            await self._write(framed)

    async def send_chunks(self, chunks: Chunks) -> None:
        """Send a piece of the body that is in chunks already, for an answer with that framing.

        Args:
            chunks: may be changed as soon as another task runs.
        """
        try:
            self.sent += await send_pieces(self._stream, chunks.framed)
        except BROKEN:
            raise ClientGone from None

    def send_now(self, data: bytes) -> bytes | None:
        """Send a piece of the body without waiting, as far as the connection takes it.

        Returns:
            The bytes that are left for ``send_rest``; ``None`` if nothing was sent because the
            connection takes no bytes now, is broken, or uses TLS.
        """
        framed = self._frame(data)
        count = send_now(self._stream, framed)
        self.sent += count
        return framed[count:] if count or not framed else None

    async def send_rest(self, rest: bytes) -> None:
        """Send the bytes that ``send_now`` returned."""
        await self._write(rest)

    def _frame(self, data: bytes) -> bytes:
        if not data or self._framing is Framing.NONE:
            return b""
        return chunk(data) if self._framing is Framing.CHUNKED else data

    async def send_end(self, trailers: Headers = ()) -> None:
        """End the body."""
        self.ended = True
        if self._framing is Framing.CHUNKED:
            await self._write(last_chunk(trailers))
        elif self._framing is Framing.CLOSE:
            self.close = True

    @asynccontextmanager
    async def stream(self, status: int = 200, headers: Headers = ()) -> AsyncIterator[Sender]:
        """Answer in chunks: entering the block sends the head, ``await send(data)`` one chunk.

        If the client disconnects, the block is cancelled and exits without an error.  If the block
        raises an exception, the answer is cut off, which clients notice.

        Raises:
            ClientGone: on entry, if the client has disconnected already.
        """
        has_begun = False
        async with self._watched() as nursery:
            await self.send_head(status, headers)
            has_begun = True
            sender = Sender(self, nursery)
            yield sender
            await sender.flush()
            await self.send_end()
        if not has_begun:
            raise ClientGone

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Cancel the block if the client disconnects; it then exits without an error."""
        async with self._watched():
            yield

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[trio.Nursery]:
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, nursery.cancel_scope)
            try:
                yield nursery
            except ClientGone:
                pass
            except Exception as error:  # raised below: the nursery would wrap it in a group
                failure = error
            nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _watch(self, scope: trio.CancelScope) -> None:
        await self._incoming.wait_gone()
        self.left = True
        scope.cancel()

    async def wait_gone(self) -> None:
        """Return when the client has disconnected; see ``Incoming.wait_gone``."""
        await self._incoming.wait_gone()

    @property
    def broken(self) -> bool:
        """Whether the client's connection is broken in both directions."""
        return self._incoming.broken

    # ---- leaving HTTP

    async def take_over(self, head: bytes) -> trio.abc.HalfCloseableStream:
        """Send *head* with the request's id, and hand over the connection.

        No task may be reading the body or watching the client any more.

        Args:
            head: status line, headers and empty line; empty to send nothing.

        Returns:
            The client's stream, which begins with data that was received already.  The server
            closes it when the handler returns.
        """
        self.started = self.ended = self.taken = self.close = True
        self._incoming.answering = True
        if head:
            self.status = int(head.split(b" ", 2)[1])
            await self._write(add_request_id(head, self.request_id))
        return _TakenStream(self, self._stream, self._incoming.ahead)

    # ---- writing

    def _begin(self, status: int, headers: Headers, reason: bytes = b"") -> bytes:
        if self.started:
            raise RuntimeError(f"{self!r} was answered twice")
        if not self._incoming.complete and (self._incoming.expecting or status >= 400):
            self.close = True
        head, self._framing = _heads.write(
            status,
            headers,
            self.common_headers,
            reason,
            self.request.method == "HEAD",
            self.http10,
            self.close,
        )
        if self._framing is Framing.CLOSE:
            self.close = True
        self.started = self._incoming.answering = True
        self.status = status
        return add_request_id(head, self.request_id)

    async def _write_large(self, body: bytes) -> None:
        """Send a body that this process holds; a client that takes none of it is given up."""
        view = memoryview(body)
        for at in range(0, len(view), _PIECE_BYTES):
            try:
                with trio.fail_after(self._limits.idle_seconds):
                    await self._write(view[at : at + _PIECE_BYTES])
            except trio.TooSlowError:
                self.close = True
                raise ClientGone from None

    async def _write(self, data: bytes | memoryview) -> None:
        try:
            await self._stream.send_all(data)
        except BROKEN:
            raise ClientGone from None
        self.sent += len(data)


class _TakenStream(EarlyStream):
    """A client's connection after leaving HTTP; counts bytes for the exchange."""

    def __init__(
        self, exchange: ServerExchange, stream: trio.abc.HalfCloseableStream, early: bytes
    ) -> None:
        super().__init__(stream, early)
        self._exchange = exchange

    def shortcut(self) -> Shortcut | None:
        """See ``streams.shortcut_of``."""
        if self._early or not isinstance(self._stream, PlainSocket):
            return None
        return Shortcut(self._stream, self._count_received, self._count_sent)

    def _count_received(self, count: int) -> None:
        self._exchange.received += count

    def _count_sent(self, count: int) -> None:
        self._exchange.sent += count

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await super().receive_some(max_bytes)
        self._count_received(len(data))
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await super().send_all(data)
        self._count_sent(len(data))
