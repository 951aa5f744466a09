"""Plain sockets with fewer steps for each message than trio's stream.

For one receive and one send, trio's stream lets other tasks run twice and enters four context
managers: 50 µs of CPU, where this one needs 30.  Here only a receive lets other tasks run.  That is
fair, as no task sends much without receiving, and a cancellation is seen there.
"""

import errno
import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import trio

T = TypeVar("T")
#: The bytes that are received at once, unless the caller says otherwise.
RECEIVE_BYTES: Final = 1 << 16
#: A buffer that all connections receive into: what is in it is sent or copied before another task
#: runs.  A buffer that is used again costs a third less than a new one for each piece, and one of
#: 1 MiB a quarter less than one of 256 KiB.
SHARED: Final = bytearray(1 << 20)


class PromptStream(trio.abc.HalfCloseableStream):
    """A connection that can also be used without waiting."""

    @property
    @abstractmethod
    def is_readable(self) -> bool:
        """Whether data can be received; on an idle connection that means that it has ended."""

    @abstractmethod
    def send_now(self, data: bytes | memoryview) -> int:
        """Send without waiting.

        Returns:
            The number of bytes that were sent; 0 if the connection takes none now, is broken, or
            another task is sending.
        """

    @abstractmethod
    def receive_now(self, max_bytes: int) -> bytes | None:
        """Receive what has arrived; ``None`` if nothing has, ``b""`` if the connection has ended
        or is broken."""

    @abstractmethod
    def close_now(self) -> None:
        """Close both directions."""


class Shortcut(NamedTuple):
    """The plain socket below a stream that adds nothing to the bytes.

    Attributes:
        socket: to be received from, and sent to.
        received: to be called with the number of received bytes.
        sent: to be called with the number of sent bytes.
    """

    socket: "PlainSocket"
    received: Callable[[int], None]
    sent: Callable[[int], None]


class PlainSocket(PromptStream):
    """A connected socket without TLS; one task may send while another receives.

    Args:
        stream: trio's stream of the socket; owned by this stream from now on.
    """

    def __init__(self, stream: trio.SocketStream) -> None:
        self.transport_stream = stream
        self.socket = stream.socket
        self._number_of = stream.socket.fileno
        self._is_sending = False

    def shortcut(self) -> Shortcut:
        """See ``streams.shortcut_of``."""
        return Shortcut(self, _ignore, _ignore)

    # ---- receiving

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive what has arrived; ``b""`` when the peer has ended its direction.

        Raises:
            trio.BrokenResourceError: the connection is broken.
            trio.ClosedResourceError: this side has closed it.
        """
        size = RECEIVE_BYTES if max_bytes is None else max_bytes
        if size < 1:
            raise ValueError("max_bytes must be at least 1")
        # While other tasks run, data often arrives, and the costs of waiting for it are saved.
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return os.read(self._number_of(), size)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._number_of())
            except OSError as error:
                raise _error_of_stream(error) from error

    @property
    def is_readable(self) -> bool:
        """See ``PromptStream``."""
        return self.socket.is_readable()

    def receive_now(self, max_bytes: int) -> bytes | None:
        """See ``PromptStream``."""
        try:
            return os.read(self._number_of(), max_bytes)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    async def receive_shared(self) -> int:
        """Receive into ``SHARED``; see ``receive_some``.

        Returns:
            The number of bytes; 0 when the peer has ended its direction.
        """
        return await self.receive_by(lambda number: os.readv(number, [SHARED]))

    async def receive_by(self, receive: Callable[[int], T]) -> T:
        """Receive by another call; see ``receive_some``.

        Args:
            receive: gets the number of the socket; does not wait, but raises ``BlockingIOError`` if
                nothing has arrived.

        Returns:
            The result of *receive*.
        """
        await trio.lowlevel.checkpoint()
        while True:
            try:
                return receive(self._number_of())
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._number_of())
            except OSError as error:
                raise _error_of_stream(error) from error

    # ---- sending

    def send_now(self, data: bytes | memoryview) -> int:
        """See ``PromptStream``."""
        if self._is_sending:
            return 0
        try:
            return os.write(self._number_of(), data)
        except OSError:
            return 0  # a send that waits finds out whether it is broken

    async def send_pieces(self, pieces: Sequence[bytes | memoryview]) -> int:
        """Send several pieces without joining them; see ``send_all``.

        Args:
            pieces: at most 1,000; views may change as soon as another task runs.

        Returns:
            The number of bytes.
        """
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending on this socket")
        try:
            sent = os.writev(self._number_of(), pieces)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise _error_of_stream(error) from error
        size = sum(map(len, pieces))
        if sent < size:
            rest = _without(sent, pieces)
            if any(isinstance(piece, memoryview) for piece in pieces):
                rest = [memoryview(b"".join(rest))]
            await self._send_rest(rest, size - sent)
        return size

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; no other task runs if the socket takes everything at once.

        Raises:
            trio.BrokenResourceError: the connection is broken.
            trio.BusyResourceError: another task is sending.
            trio.ClosedResourceError: this side has closed it.
        """
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending on this socket")
        try:
            sent = os.write(self._number_of(), data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise _error_of_stream(error) from error
        if sent < len(data):
            await self._send_rest([memoryview(data).cast("B")[sent:]], len(data) - sent)

    async def _send_rest(self, pieces: Sequence[memoryview], size: int) -> None:
        def send(number: int) -> int:
            nonlocal pieces
            count = os.writev(number, pieces)
            pieces = _without(count, pieces)
            return count

        await self.send_by(send, size)

    async def send_by(self, send: Callable[[int], int], size: int) -> None:
        """Send by other calls; see ``send_all``.

        Args:
            send: gets the number of the socket, and returns the number of bytes that it sent; does
                not wait, but raises ``BlockingIOError`` if the socket takes nothing.
            size: the number of bytes.
        """
        if self._is_sending:
            raise trio.BusyResourceError("another task is sending on this socket")
        self._is_sending = True
        try:
            while True:
                try:
                    size -= send(self._number_of())
                except BlockingIOError:
                    pass
                except OSError as error:
                    raise _error_of_stream(error) from error
                if not size:
                    return
                await trio.lowlevel.wait_writable(self._number_of())
        finally:
            self._is_sending = False

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the socket takes more data."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End the sending direction only."""
        await self.transport_stream.send_eof()

    def close_now(self) -> None:
        """See ``PromptStream``."""
        self.socket.close()

    async def aclose(self) -> None:
        """Close both directions."""
        await self.transport_stream.aclose()


async def pass_on(source: PlainSocket, sink: PlainSocket) -> int:
    """Receive once and send that.

    Returns:
        The number of bytes; 0 when the peer of *source* has ended its direction.

    Raises:
        trio.BrokenResourceError: one of the connections is broken.
        trio.ClosedResourceError: this side has closed one of them.
    """
    count = await source.receive_shared()
    if count:
        await sink.send_pieces([memoryview(SHARED)[:count]])
    return count


def quickened(stream: trio.abc.HalfCloseableStream) -> trio.abc.HalfCloseableStream:
    """*stream*, as a ``PlainSocket`` if it is a socket of trio."""
    return PlainSocket(stream) if type(stream) is trio.SocketStream else stream


def _without(count: int, pieces: Sequence[bytes | memoryview]) -> list[memoryview]:
    """*pieces* without the first *count* bytes, which were sent."""
    rest = []
    for piece in pieces:
        if count < len(piece):
            rest.append(memoryview(piece)[count:])
        count = max(0, count - len(piece))
    return rest


def _ignore(count: int) -> None:
    pass


def _error_of_stream(error: OSError) -> Exception:
    if error.errno == errno.EBADF:
        return trio.ClosedResourceError("this socket was already closed")
    return trio.BrokenResourceError(f"socket connection broken: {error}")
