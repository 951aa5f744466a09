"""One request on its way to an engine, and the engine's answer on its way to the client.

Bodies are not buffered.  If the client disconnects, the engine's request is cancelled.  If the
engine is lost, the client's answer is cut off, so that it does not look complete.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import trio

from swarmcore.errors import EngineUnreachable, SwarmError, TooLarge
from swarmcore.http.client import HTTPClient
from swarmcore.http.client.call import Call, Head, TakenConnection
from swarmcore.http.framing import Framing, answer_framing, answer_head, names_of
from swarmcore.http.headers import (
    answer_headers,
    is_chunked,
    is_hijack,
    request_headers,
    tunnel_headers,
    wants_upgrade,
)
from swarmcore.http.messages import Answer, Headers, find_header
from swarmcore.http.proxy.tunnel import tunnel
from swarmcore.http.response_hooks import NO_HOOKS, ResponseHooks
from swarmcore.http.server import ClientGone, ServerExchange
from swarmcore.http.streams import BROKEN
from swarmcore.json_values import reading_answer

log = logging.getLogger(__name__)

Pieces = Callable[[], Awaitable[bytes]]

#: Size limit of a response that a hook transforms; inspecting a large container is some 100 KB.
_MAPPED_BYTES = 64 << 20
#: How long a client that half-closed its connection may wait for an answer with a protocol switch.
_HIJACK_SECONDS = 30.0
#: Bodies up to this size are sent together with their heads.
_SHORT_BYTES = 64 * 1024


class Passage:
    """One relay under way."""

    def __init__(
        self,
        exchange: ServerExchange,
        client: HTTPClient,
        contacted: Callable[[], None],
        announced: bytes,
        hooks: ResponseHooks = NO_HOOKS,
        pieces: Pieces | None = None,
        inspect: Callable[[Head], None] | None = None,
    ) -> None:
        self._exchange = exchange
        self._client = client
        self._contacted = contacted
        self._announced = announced
        self._hooks = hooks
        self._pieces = pieces
        self._inspect = inspect
        self._map_response = None if exchange.request.method == "HEAD" else hooks.map_response
        #: Called once, then ``None``.
        self._on_status = hooks.on_status
        #: Whether the body has no length and is no error, so that an error can be appended.
        self._open_ended = False
        self._client_error: Exception | None = None
        #: The head of the answer, once it was read.
        self._head: Head | None = None
        #: Pieces of the answer's body that were read and not yet used.
        self._read: deque[bytes] = deque()
        #: Why no more can be read.
        self._lost: EngineUnreachable | None = None
        #: Set when the answer is ordinary HTTP, which may go on for any time.
        self._streams = trio.Event()
        self.status = 0

    async def run(self, target: str, body: bytes | None, added: Headers = ()) -> int:
        exchange = self._exchange
        method = exchange.request.method
        first = b""
        if body is None:
            body, first = await self._look_at_body()
        headers = request_headers(
            method,
            (*exchange.request.headers, *added),
            length=None if body is None else len(body),
            identity=self._map_response is not None,
        )
        quick = _read_later if body is None or wants_upgrade(headers) else self._read_soon
        full = partial(self._exchange_messages, first=first if body is None else None)
        is_read = await self._client.converse(quick, full, method, target, headers, body or b"")
        if is_read and self._head is not None:
            await self._answer(None, self._head)
        return self.status

    async def _look_at_body(self) -> tuple[bytes | None, bytes]:
        """Return the client's complete body, or ``None`` and the first piece of a streamed body.

        Whether a chunked body is empty is known only with its first chunk.  The body of a request
        that may switch the protocol is sent with its head, as engines treat later data as raw
        input.
        """
        exchange = self._exchange
        if self._pieces is not None:
            first = await self._pieces()
            return (None, first) if first or not exchange.body_complete else (b"", b"")
        if exchange.body is not None:
            return exchange.body, b""
        if exchange.body_complete:
            return b"", b""
        if exchange.expecting:
            return None, b""
        if is_chunked(exchange.request.headers):
            first = await exchange.receive_chunk()
            return (None, first) if first else (b"", b"")
        if wants_upgrade(exchange.request.headers):
            return await exchange.read_body(), b""
        return None, b""

    # ---- short answers

    async def _read_soon(self, call: Call) -> bool:
        """Read the answer if it is short and comes at once: then no task has to watch the client.

        Returns:
            Whether the answer was read to its end; what was read is kept in any case.
        """
        head = await self._read_head(call)
        if is_hijack(self._exchange.request.method, head.status, head.headers):
            return False
        # With a hook, the head of an answer with a body is sent before the hook is awaited.
        most = _SHORT_BYTES if self._on_status is None else 0
        if not (self._is_mapped(head) or _is_short(head, most)):
            return False
        try:
            while data := await call.read_data():
                self._read.append(data)
        except EngineUnreachable as error:
            self._lost = error  # raised after what was read has been sent
            return False
        return True

    # ---- both directions concurrently

    async def _exchange_messages(self, call: Call, first: bytes | None) -> None:
        """Send the rest of the request, while receiving the answer and watching the client.

        Args:
            call: its head has been sent.
            first: the first piece of a streamed body; ``None`` if the complete body has been sent.
        """
        failure: Exception | None = None
        hijacked: Head | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._attend_client, call, first, nursery.cancel_scope)
            try:
                hijacked = await self._receive(call)
            except Exception as error:  # raised below: the nursery would wrap it in a group
                failure = error
            nursery.cancel_scope.cancel()
        if self._client_error is not None and not self._exchange.ended:
            raise self._client_error
        if failure is not None:
            raise failure
        if hijacked is not None:
            await self._tunnel(call.take_over(), hijacked)

    async def _attend_client(self, call: Call, first: bytes | None, both: trio.CancelScope) -> None:
        """Send the client's body, wait until the client disconnects, and then end the relay."""
        try:
            if first is not None:
                await self._send_body(call, first)
            await self._exchange.wait_gone()
            await self._wait_for_hijack()
            self._client_error = ClientGone()
        except (ClientGone, SwarmError) as error:
            self._client_error = error
        both.cancel()

    async def _wait_for_hijack(self) -> None:
        """Wait for the engine's answer to a request that may switch the protocol.

        The client of a hijacked connection may half-close it before the answer arrives.
        """
        if wants_upgrade(self._exchange.request.headers) and not self._exchange.broken:
            with trio.move_on_after(_HIJACK_SECONDS):
                await self._streams.wait()

    async def _send_body(self, call: Call, first: bytes) -> None:
        # An engine may refuse and close while the body is being sent; its answer gives the reason.
        with suppress(EngineUnreachable):
            if self._exchange.expecting:
                await self._wait_continue(call)
            if first:
                await call.send(first)
            if self._pieces is not None:
                while data := await self._pieces():
                    await call.send(data)
            await self._pass_body_on(call)
            await call.finish()

    async def _pass_body_on(self, call: Call) -> None:
        """Send the client's body, its chunks as they are; see ``_pass_chunks_on``."""
        exchange = self._exchange
        while True:
            while call.sends_chunks and (chunks := await exchange.receive_chunks()):
                await call.send_chunks(chunks)
            data = await exchange.receive_chunk()
            if not data:
                return
            await call.send(data)

    async def _wait_continue(self, call: Call) -> None:
        """Wait until the engine asks for the body.

        Raises:
            ClientGone: the client disconnected before.
        """
        is_wanted = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_when_gone, nursery.cancel_scope)
            await call.wait_continue()
            is_wanted = True
            nursery.cancel_scope.cancel()
        if not is_wanted:
            raise ClientGone

    async def _cancel_when_gone(self, scope: trio.CancelScope) -> None:
        await self._exchange.wait_gone()
        scope.cancel()

    # ---- the answer

    async def _receive(self, call: Call) -> Head | None:
        head = await self._read_head(call)
        if is_hijack(self._exchange.request.method, head.status, head.headers):
            return head
        await self._answer(call, head)
        return None

    async def _read_head(self, call: Call) -> Head:
        if self._head is None:
            self._head = await call.read_head()
            self._contacted()
            self.status = self._head.status
            if self._inspect is not None:
                self._inspect(self._head)
        return self._head

    async def _read_data(self, call: Call | None) -> bytes:
        """The next piece of the answer's body; *call* is ``None`` if all of it has been read."""
        if self._read:
            return self._read.popleft()
        if self._lost is not None:
            raise self._lost
        return b"" if call is None else await call.read_data()

    def _is_mapped(self, head: Head) -> bool:
        return self._map_response is not None and head.status < 400

    async def _answer(self, call: Call | None, head: Head) -> None:
        if self._map_response is not None and self._is_mapped(head):
            await self._send_mapped(call, head, self._map_response)
        else:
            await self._send_as_it_comes(call, head)

    async def _send_mapped(
        self, call: Call | None, head: Head, map_response: Callable[[Answer], Answer]
    ) -> None:
        pieces = []
        left = _MAPPED_BYTES
        while data := await self._read_data(call):
            left -= len(data)
            if left < 0:
                raise TooLarge(f"the engine's answer is larger than {_MAPPED_BYTES} bytes")
            pieces.append(data)
        headers = answer_headers(head.headers, length=False)
        request = self._exchange.request
        with reading_answer(self._client.name, f"{request.method} {request.path}"):
            answer = map_response(Answer(head.status, headers, b"".join(pieces)))
        await self._report_status()
        await self._exchange.send(answer)

    async def _send_as_it_comes(self, call: Call | None, head: Head) -> None:
        exchange = self._exchange
        if head.status < 400 and find_header(head.headers, b"content-length") is None:
            self._streams.set()
        headers = self._mapped_headers(head.status, answer_headers(head.headers))
        framing = answer_framing(
            exchange.request.method, head.status, names_of(headers), http10=exchange.http10
        )
        if framing is Framing.NONE or find_header(headers, b"content-length") == b"0":
            await self._report_status()
        first = self._read.popleft() if self._read else b""
        await exchange.send_head(head.status, headers, reason=head.reason, first=first)
        ended_by_us = framing in (Framing.CHUNKED, Framing.CLOSE)
        hooks = self._hooks if ended_by_us and head.status < 400 else NO_HOOKS
        map_data, error_tail = hooks.map_data, hooks.on_engine_lost
        self._open_ended = error_tail is not None
        if call is not None and framing is Framing.CHUNKED and self._passes_chunks_on:
            await self._pass_chunks_on(call)
        while data := await self._read_data(call):
            if self._hooks.on_status_at == "body":
                await self._report_status()
            if map_data is not None:
                data = map_data(data)
            await exchange.send_data(data)
            if error_tail is not None:
                error_tail.feed(data)
        if map_data is not None:
            await exchange.send_data(map_data(b""))
        await self._report_status()
        await exchange.send_end(() if call is None else call.trailers)

    @property
    def _passes_chunks_on(self) -> bool:
        """Whether a chunked body needs neither another form nor a hook before its first byte."""
        is_awaited = self._on_status is not None and self._hooks.on_status_at == "body"
        return not (is_awaited or self._hooks.map_data or self._read or self._lost)

    async def _pass_chunks_on(self, call: Call) -> None:
        """Send the engine's chunks as they are: a copy of the data would cost a third more."""
        tail = self._hooks.on_engine_lost if self._open_ended else None
        while chunks := await call.read_chunks():
            if tail is not None:  # before another task runs, which may change the chunks
                for data in chunks.data:
                    tail.feed(data)
            await self._exchange.send_chunks(chunks)

    async def end_early(self, reason: str) -> None:
        """Append an error to an incomplete answer, if its format allows that."""
        tail = self._hooks.on_engine_lost
        if tail is None or not self._open_ended:
            return
        await self._exchange.send_data(tail.error_tail(reason))
        if tail.ends_cleanly:
            await self._exchange.send_end()

    def _mapped_headers(self, status: int, headers: Headers) -> Headers:
        map_headers = self._hooks.map_headers
        return headers if map_headers is None or status >= 400 else map_headers(headers)

    async def _report_status(self) -> None:
        hook, self._on_status = self._on_status, None
        if hook is None:
            return
        try:
            await hook(self.status)
        except SwarmError as error:  # the cache is late; the answer is correct nevertheless
            log.warning("%s did not settle: %s", self._exchange.request.path, error)

    # ---- protocol switch

    async def _tunnel(self, taken: TakenConnection, head: Head) -> None:
        """Forward raw bytes.  Early data of the client is sent only now; engines would drop it."""
        await self._report_status()
        headers = self._mapped_headers(head.status, tunnel_headers(head.headers, self._announced))
        client = await self._exchange.take_over(
            answer_head(head.status, headers, reason=head.reason)
        )
        try:
            if taken.early:
                await client.send_all(taken.early)
            await tunnel(client, taken.stream)
        except BROKEN:
            raise ClientGone from None
        finally:
            await trio.aclose_forcefully(taken.stream)


async def _read_later(call: Call) -> bool:
    """Read nothing yet: the rest of the request must be sent meanwhile."""
    return False


def _is_short(head: Head, most: int) -> bool:
    """Whether the body of an answer has a length of *most* bytes at most."""
    if head.status in (204, 304):
        return True
    length = find_header(head.headers, b"content-length")
    return length is not None and length.isdigit() and int(length) <= most
