"""The receiving side of one connection: reads plain heads and bodies itself, others with h11.

Notices when the client disconnects while it is being answered.  Only sends ``100 Continue``, when a
handler begins to read the body.
"""

import contextlib

import h11
import trio

from swarmcore.errors import BadRequest
from swarmcore.http.chunks import LAST_CHUNK, Chunks, MalformedChunk, PlainChunks
from swarmcore.http.framing import CONTINUE
from swarmcore.http.messages import Client
from swarmcore.http.plain_heads import HeadCutter, read_plain_request
from swarmcore.http.server.connection_limits import Limits
from swarmcore.http.server.heads import (
    Head,
    KnownHeads,
    MalformedRequest,
    make_head,
    malformed_request,
)
from swarmcore.http.streams import BROKEN, receive_shared, receive_size

_END_OF_HEAD = b"\r\n\r\n"
#: Longer heads are left to h11.
_PLAIN_BYTES = 4096


class ClientGone(Exception):
    """The client closed its connection before its answer was complete."""


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
        self._heads = HeadCutter()
        #: The head of the current request, if it was plain, so that h11 has not seen it.
        self._plain = b""
        #: Whether ``_h11`` was given any bytes.
        self._fed = False
        #: Received, and neither read nor given to ``_h11``.
        self._arrived = b""
        #: Remaining bytes of a body with a length.
        self._left = 0
        #: Decodes a chunked body, until h11 has to read the rest.
        self._chunks: PlainChunks | None = None
        self._lock = trio.Lock()
        #: Where the watching task waits until a reader of the body has made room.
        self._room = trio.lowlevel.ParkingLot()
        self._receipts = 0
        #: How many bytes came last.
        self._received = 0
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
        if not self._arrived and not self.closed:
            await self._fill()
        return bool(self._arrived)

    @property
    def has_arrived(self) -> bool:
        """Whether a part of the next request has arrived."""
        return bool(self._arrived)

    def known_head(self) -> Head | None:
        """The head of the next request, if the bytes that have arrived are a known head."""
        head = self._known.find(self._arrived, self._client)
        if head is not None:
            self._arrived = b""
            self.complete = True
        return head

    def plain_head(self) -> Head | None:
        """The next head if it has arrived and is plain; a third of the cost of one by h11.

        Raises:
            BadRequest: see ``heads.make_head``.
        """
        data = self._arrived
        most = min(_PLAIN_BYTES, self._limits.head_bytes)
        end = data.find(_END_OF_HEAD, 0, most) + len(_END_OF_HEAD)
        if end < len(_END_OF_HEAD):
            return None
        plain = read_plain_request(data[:end])
        if plain is None or len(plain.headers) > self._limits.header_count:
            return None
        self._plain, self._arrived = data[:end], data[end:]
        if plain.length is None:
            self._chunks = PlainChunks()
        else:
            self._left = plain.length
        self.complete = plain.length == 0
        head = make_head(plain.method, plain.target, plain.headers, self._client)
        self._keep(data, head)
        return head

    async def read_head(self) -> Head | None:
        """Read the next head, which is not plain, with h11; ``None`` if the client disconnects.

        Raises:
            MalformedRequest: not HTTP, or too large.
            BadRequest: see ``heads.make_head``.
        """
        data, receipts = self._arrived, self._receipts
        head = await self._read_by_h11()
        if head is not None and receipts == self._receipts:
            self._keep(data, head)
        return head

    def _keep(self, data: bytes, head: Head) -> None:
        """Keep *head*, which was made of *data* alone, if no body follows it."""
        if self.complete and not self._arrived:
            self._known.keep(data, head)

    async def _read_by_h11(self) -> Head | None:
        event = await self._read_event()
        if event is None:
            return None
        headers = tuple(event.headers.raw_items())
        http10 = event.http_version < b"1.1"
        return make_head(event.method, event.target, headers, self._client, http10=http10)

    async def _read_event(self) -> h11.Request | None:
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                if not self._arrived:
                    await self._fill()
                data, self._arrived = self._heads.cut(self._arrived)
                self._feed(data)
        except h11.RemoteProtocolError as error:
            if self.closed:
                return None
            raise malformed_request(error) from None
        if not isinstance(event, h11.Request):
            return None
        if event.http_version not in (b"1.0", b"1.1"):  # such as `PRI * HTTP/2.0`
            raise MalformedRequest("unsupported HTTP version: use HTTP/1.1 or HTTP/1.0", 505)
        if len(event.headers) > self._limits.header_count:
            raise MalformedRequest(f"more than {self._limits.header_count} headers", 431)
        self.expecting = self._h11.they_are_waiting_for_100_continue
        self._find_body(event)
        return event

    def _find_body(self, head: h11.Request) -> None:
        """Determine how the body is framed; most requests have none."""
        for name, value in head.headers:
            if name == b"transfer-encoding":
                self._chunks = PlainChunks()
            elif name == b"content-length":
                self._left = int(value)
        if self._chunks is not None:
            self._left = 0
        self.complete = self._chunks is None and not self._left

    def next_request(self) -> None:
        """Drop the current request; data that the client sent after it is kept."""
        self._arrived = self.ahead
        if self._fed:
            self._h11 = h11.Connection(h11.SERVER, self._limits.head_bytes)
            self._fed = False
        self._left, self._chunks, self._plain = 0, None, b""
        self.complete = self.expecting = self.answering = False

    # ---- bodies

    async def read_chunk(self) -> bytes:
        """Read what has arrived of the body, at least one byte; ``b""`` at its end.

        Raises:
            ClientGone: the connection ended before the body did.
            BadRequest: the framing is malformed.
        """
        if chunks := await self.read_chunks():
            return b"".join(chunks.data)
        while not (data := self._take_data()) and not self.complete:
            await self._offer_continue()
            await self._receive_more()
        self._room.unpark_all()
        return data

    def _take_data(self) -> bytes:
        """Take what has arrived of the body, and detect its end.

        Raises:
            ClientGone: the connection ended before the body did.
            BadRequest: the framing is malformed.
        """
        if self.complete:
            return b""
        if self._chunks is not None:
            data = self._take_chunks(self._chunks)
        elif self._left:
            data, self._arrived = self._arrived[: self._left], self._arrived[self._left :]
            self._left -= len(data)
            self.complete = not self._left
        else:
            data = self._take_events()
        if not data and self.closed and not self.complete:
            raise ClientGone
        return data

    def _take_chunks(self, chunks: PlainChunks) -> bytes:
        arrived, self._arrived = self._arrived, b""
        data = b"".join(self._split(chunks, arrived, len(arrived)).data)
        if self._chunks is None and not (data or self.complete):
            return self._take_events()
        return data

    def _split(self, chunks: PlainChunks, received: bytes | bytearray, size: int) -> Chunks:
        try:
            found = chunks.split(received, size)
        except MalformedChunk as error:
            raise self._bad_body(error) from None
        if chunks.rest is not None:
            self._arrived, self._chunks = chunks.rest, None
            if chunks.ended:
                self._arrived = self._arrived[len(LAST_CHUNK) :]
                self.complete = True
        return found

    async def read_chunks(self) -> Chunks | None:
        """Read what has arrived of a chunked body, at least one byte.

        Returns:
            Pieces that are valid until another task runs; ``None`` if there are none, or if only
            ``read_chunk`` can read what comes next.

        Raises:
            ClientGone: the connection ended before the body did.
            BadRequest: the framing is malformed.
        """
        while self._chunks is not None and not self.expecting:
            chunks = await self._receive_chunks(self._chunks)
            if chunks.data:
                self._room.unpark_all()
                return chunks
            if self.closed and self._chunks is not None:
                raise ClientGone
        return None

    async def _receive_chunks(self, chunks: PlainChunks) -> Chunks:
        if not self._arrived:
            async with self._lock:
                # Another task may have received meanwhile.
                if not (self._arrived or self.closed):
                    return self._split(chunks, *await self._receive_shared())
        arrived, self._arrived = self._arrived, b""
        return self._split(chunks, arrived, len(arrived))

    def _take_events(self) -> bytes:
        """What h11 makes of the body, which is not plain from here on."""
        pieces: list[bytes] = []
        if self._plain:  # h11 has not seen the head
            self._feed(self._plain)
            self._h11.next_event()
            self._plain = b""
        if self._arrived:
            self._feed(self._arrived)
            self._arrived = b""
        try:
            while isinstance(event := self._h11.next_event(), h11.Data):
                pieces.append(bytes(event.data))
        except h11.RemoteProtocolError as error:
            raise self._bad_body(error) from None
        self.complete = event is not h11.NEED_DATA
        return b"".join(pieces)

    def _bad_body(self, error: Exception) -> Exception:
        return ClientGone() if self.closed else BadRequest(f"malformed request body: {error}")

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
        if self.complete:
            return
        with contextlib.suppress(ClientGone, BadRequest):
            while self._take_data():
                pass

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
            if len(self.ahead) >= self._limits.ahead_bytes:
                # The limit is reached: reading on would use more memory.
                await self._room.park()
                continue
            await self._receive_more()

    @property
    def ahead(self) -> bytes:
        """Data received after what was read of the request."""
        return self._h11.trailing_data[0] + self._arrived if self._fed else self._arrived

    # ---- receiving

    async def _receive_more(self) -> None:
        """Receive once, or wait for another task that is receiving."""
        before = self._receipts
        async with self._lock:
            if before == self._receipts:
                await self._fill()

    async def _fill(self) -> None:
        try:
            data = bytes(await self._stream.receive_some(receive_size(self._received)))
        except BROKEN:
            data = b""
            self.broken = True
        self._note(len(data))
        self._arrived += data  # meanwhile a reader may have taken what had arrived

    def _feed(self, data: bytes) -> None:
        self._fed = True
        self._h11.receive_data(data)

    async def _receive_shared(self) -> tuple[bytes | bytearray, int]:
        """See ``streams.receive_shared``."""
        try:
            buffer, size = await receive_shared(self._stream, self._received)
        except BROKEN:
            buffer, size = b"", 0
            self.broken = True
        self._note(size)
        return buffer, size

    def _note(self, size: int) -> None:
        self._receipts += 1
        self._received = size
        if not size:
            self.closed = True
