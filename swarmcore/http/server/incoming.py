"""The receiving side of one connection: parses request heads and bodies with h11.

Notices when the client disconnects while it is being answered.  Only sends ``100 Continue``, when a
handler begins to read the body.
"""

import contextlib

import h11
import trio

from swarmcore.errors import BadRequest, SwarmError
from swarmcore.http.framing import CONTINUE
from swarmcore.http.messages import Client
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.heads import Head, KnownHeads, read_head
from swarmcore.http.streams import BROKEN, receive_size


class ClientGone(Exception):
    """The client closed its connection before its answer was complete."""


class MalformedRequest(SwarmError):
    """The request is not HTTP/1.1, or its head is too large.

    Args:
        message: the error.
        status: 400, 431, 501 or 505.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Incoming:
    """Reads requests from a connection.

    One task may read a body while another watches for a disconnect.

    Args:
        stream: the client's connection; only received from, except for ``100 Continue``.
        client: the peer of that connection.
        limits: limits on heads, and on data that is read ahead.
        known: heads that were read on any connection before.
    """

    def __init__(
        self,
        stream: trio.abc.HalfCloseableStream,
        client: Client,
        limits: Limits,
        known: KnownHeads,
    ) -> None:
        self._stream = stream
        self._client = client
        self._limits = limits
        self._known = known
        self._h11 = h11.Connection(h11.SERVER, limits.head_bytes)
        #: Whether ``_h11`` was given any bytes.
        self._fed = False
        #: The first bytes of the next request, which ``_h11`` was not given yet.
        self._arrived = b""
        self._lock = trio.Lock()
        #: Where the watching task waits until a reader of the body has made room.
        self._room = trio.lowlevel.ParkingLot()
        self._receipts = 0
        #: How many bytes came last.
        self._received = 0
        self._first: h11.Data | None = None
        #: Whether nothing more will arrive: the client closed its side, or the connection broke.
        self.closed = False
        #: Whether the connection is broken in both directions.
        self.broken = False
        #: Whether the current request's body has been read to its end.
        self.complete = False
        #: Whether the client waits for ``100 Continue`` before it sends its body.
        self.expecting = False
        #: Whether an answer has begun, so that ``100 Continue`` must not be sent any more.
        self.answering = False

    # ---- heads

    async def wait_request(self) -> bool:
        """Wait for the first byte of the next request; ``False`` if the client disconnects."""
        if self._fed:
            return bool(self._h11.trailing_data[0])
        if not self.closed:
            self._arrived = await self._receive()
        return bool(self._arrived)

    def known_head(self) -> Head | None:
        """The head of the next request, if the bytes that have arrived are a known head."""
        head = self._known.find(self._arrived, self._client)
        if head is not None:
            self._arrived = b""
            self.complete = True
        return head

    async def read_head(self) -> Head | None:
        """Read the head of the next request; ``None`` if the client disconnects.

        Raises:
            MalformedRequest: not HTTP, or too large.
            BadRequest: see ``heads.read_head``.
        """
        data, self._arrived = self._arrived, b""
        if data:
            self._feed(data)
        receipts = self._receipts
        event = await self._read_event()
        if event is None:
            return None
        head = read_head(event, self._client)
        if self.complete and receipts == self._receipts and not self._h11.trailing_data[0]:
            self._known.keep(data, head)
        return head

    async def _read_event(self) -> h11.Request | None:
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                await self._fill()
        except h11.RemoteProtocolError as error:
            if self.closed:
                return None
            raise _malformed(error) from None
        if not isinstance(event, h11.Request):
            return None
        if event.http_version not in (b"1.0", b"1.1"):  # such as `PRI * HTTP/2.0`
            raise MalformedRequest("only HTTP/1.1 and HTTP/1.0 are spoken here", 505)
        if len(event.headers) > self._limits.header_count:
            raise MalformedRequest(f"more than {self._limits.header_count} headers", 431)
        self.expecting = self._h11.they_are_waiting_for_100_continue
        self._look_for_end()
        return event

    def next_request(self) -> None:
        """Drop the current request; data that the client sent after it is kept."""
        if self._fed:
            data, closed = self._h11.trailing_data
            self._h11 = h11.Connection(h11.SERVER, self._limits.head_bytes)
            self._fed = False
            if data:
                self._feed(data)
            if closed:
                self._feed(b"")
        self._first = None
        self.complete = self.expecting = self.answering = False

    # ---- bodies

    async def read_chunk(self) -> bytes:
        """Read what has arrived of the body, at least one byte; ``b""`` at its end.

        Raises:
            ClientGone: the connection ended before the body did.
            BadRequest: the framing is malformed.
        """
        pieces: list[bytes] = []
        while not self.complete:
            event = self._next_event()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            elif event is not h11.NEED_DATA:
                self.complete = True
            elif pieces:
                break
            else:
                await self._offer_continue()
                await self._receive_more()
        self._room.unpark_all()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def drain(self, byte_limit: int) -> bool:
        """Read and drop the rest of the body; ``False`` if it is larger than *byte_limit*."""
        try:
            while not self.complete:
                dropped = len(await self.read_chunk())
                byte_limit -= dropped
                if byte_limit < 0:
                    return False
        except (ClientGone, BadRequest):
            return False
        return True

    def skip_arrived(self) -> None:
        """Drop what has arrived of the body without waiting, and detect its end."""
        while not self.complete:
            try:
                event = self._next_event()
            except (ClientGone, BadRequest):
                return
            if event is h11.NEED_DATA:
                return
            self.complete = not isinstance(event, h11.Data)

    def _look_for_end(self) -> None:
        """Detect at once that a request has no body, as most have none."""
        with contextlib.suppress(ClientGone, BadRequest):
            event = self._next_event()
            if isinstance(event, h11.Data):
                self._first = event
            else:
                self.complete = event is not h11.NEED_DATA

    def _next_event(self) -> object:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            if self.closed:
                raise ClientGone from None
            raise BadRequest(f"malformed request body: {error}") from None

    async def _offer_continue(self) -> None:
        if self.expecting and not self.answering:
            self.expecting = False
            try:
                await self._stream.send_all(CONTINUE)
            except BROKEN:
                raise ClientGone from None

    # ---- disconnects

    async def wait_gone(self) -> None:
        """Return when the client has closed its connection, whatever it sent before.

        A client that closes its sending side counts as disconnected, as on engines for all but
        hijacked connections.
        """
        while not self.closed:
            if len(self._h11.trailing_data[0]) >= self._limits.ahead_bytes:
                # The limit is reached: reading on would use more memory.
                await self._room.park()
                continue
            await self._receive_more()

    @property
    def ahead(self) -> bytes:
        """Data received after the request."""
        return self._h11.trailing_data[0]

    # ---- receiving

    async def _receive_more(self) -> None:
        """Receive once, or wait for another task that is receiving."""
        before = self._receipts
        async with self._lock:
            if before == self._receipts:
                await self._fill()

    async def _fill(self) -> None:
        self._feed(await self._receive())

    def _feed(self, data: bytes) -> None:
        self._fed = True
        self._h11.receive_data(data)

    async def _receive(self) -> bytes:
        try:
            data = await self._stream.receive_some(receive_size(self._received))
        except BROKEN:
            data = b""
            self.broken = True
        self._receipts += 1
        self._received = len(data)
        if not data:
            self.closed = True
        return bytes(data)


def _malformed(error: h11.RemoteProtocolError) -> MalformedRequest:
    if error.error_status_hint == 431:
        return MalformedRequest("request header fields too large", 431)
    # After the colon, h11 quotes the client's data.
    text = str(error).partition(":")[0]
    return MalformedRequest(f"malformed request: {text}", error.error_status_hint)
