"""One connection to a server, and how far the exchange on it has come."""

import re
from collections.abc import Sequence

import h11
import trio

from swarmcore.http.client.dial import is_readable
from swarmcore.http.plain_heads import HeadCutter
from swarmcore.http.streams import receive_shared, receive_size, send_pieces

_HEAD_BYTES = 1 << 20
_PLAIN_END = b"\r\n\r\n"
#: Longer heads are left to h11.
_PLAIN_BYTES = 2048
#: The end of a head, as h11 looks for it.
_BLANK_LINE = re.compile(rb"\n\r?\n")


class Connection:
    """One connection and its h11 state."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self.h11 = h11.Connection(h11.CLIENT, _HEAD_BYTES)
        #: Data received after the end of a head and not yet passed to h11.
        self.early = b""
        #: Number of bytes in the last receive.
        self._received = 0
        self._heads = HeadCutter()
        #: Whether it has been used before, so that the server may have closed it since.
        self.reused = False
        #: Whether an answer that h11 has not seen is complete.
        self.complete = False
        #: Whether bytes of the current answer have arrived.
        self.heard = False
        #: Whether a send has begun and not completed.
        self.sending = False
        #: Whether the server has closed its side.
        self.ended = False
        #: trio time at which it was last kept for another request.
        self.kept_since = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent data without a request."""
        return is_readable(self.stream)

    @property
    def is_reusable(self) -> bool:
        """Whether its exchange is complete, so that it may be used again."""
        complete = self.complete or (
            self.h11.our_state is h11.DONE and self.h11.their_state is h11.DONE
        )
        return complete and not self.sending and not self.unread

    @property
    def unread(self) -> bytes:
        """Data received after what h11 has read."""
        return self.h11.trailing_data[0] + self.early

    async def receive(self) -> bytes:
        """Receive at least one byte; ``b""`` at the end of the connection."""
        if not self.early:
            await self._receive_more()
        data, self.early = self.early, b""
        return data

    async def receive_shared(self) -> tuple[bytes | bytearray, int]:
        """The same, if possible without a new buffer; see ``streams.receive_shared``."""
        if self.early:
            data, self.early = self.early, b""
            return data, len(data)
        buffer, size = await receive_shared(self.stream, self._received)
        self._note(size)
        return buffer, size

    async def receive_head(self) -> bytes | None:
        """Receive a complete head; ``None`` if it is long, or does not end as plain heads do.

        What is received and not returned is in ``early``.
        """
        while (end := self.early.find(_PLAIN_END)) < 0:
            if len(self.early) > _PLAIN_BYTES or _BLANK_LINE.search(self.early):
                return None
            if not await self._receive_more():
                return None
        end += len(_PLAIN_END)
        head, self.early = self.early[:end], self.early[end:]
        return head

    async def _receive_more(self) -> bool:
        data = await self.stream.receive_some(receive_size(self._received))
        self.early += data
        self._note(len(data))
        return bool(data)

    def _note(self, size: int) -> None:
        self._received = size
        self.heard |= size > 0
        self.ended |= not size

    def read_in_head(self, data: bytes) -> None:
        """Pass data to h11 up to the end of one head: bodies are read faster without h11."""
        data, self.early = self._heads.cut(data)
        self.h11.receive_data(data)

    async def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.sending = True
        await self.stream.send_all(data)
        self.sending = False

    async def send_pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Send raw bytes; see ``streams.send_pieces``."""
        self.sending = True
        await send_pieces(self.stream, pieces)
        self.sending = False

    def next_cycle(self) -> None:
        """Prepare for the next request."""
        if self.h11.our_state is not h11.IDLE:
            self.h11.start_next_cycle()
        self.complete = False
        self.reused = True
        self.heard = False
