"""Connections of all kinds: the errors of broken ones, the peer, TCP keep-alive."""

import contextlib
import ssl
from collections.abc import Callable, Mapping, Sequence

import trio

from swarmcore.http.messages import Client
from swarmcore.http.plain_sockets import SHARED, PlainSocket, Shortcut
from swarmcore.http.tls import TLSStream

#: Raised by sending and receiving on a connection that is closed or broken.
BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError)

#: Normal size of a receive.  Larger buffers are mapped again for every receive, which costs 25 µs.
_LITTLE_BYTES = 1 << 16
#: Size of a receive while much data arrives, as the cost per piece matters for gigabytes.
_MUCH_BYTES = 1 << 18

#: Detects a vanished peer after two minutes of silence: 30 s, then three probes.
RELAXED_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 3}
#: For a suspected peer: detects it after ten seconds.
URGENT_KEEPALIVE = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 9}


def receive_size(before: int) -> int:
    """The size of the next receive.

    Args:
        before: number of bytes in the last receive.
    """
    return _MUCH_BYTES if before >= _LITTLE_BYTES else _LITTLE_BYTES


def send_now(stream: trio.abc.AsyncResource, data: bytes) -> int:
    """Send without waiting, and without the cost of a task that could wait.

    Args:
        stream: no task may be sending on it.
        data: at least one byte.

    Returns:
        The number of bytes that were sent; 0 if the connection takes none now, is broken, or is
        no plain socket.
    """
    return stream.send_now(data) if type(stream) is PlainSocket else 0


def shortcut_of(stream: trio.abc.AsyncResource) -> Shortcut | None:
    """The plain socket below *stream*, if bytes may bypass the stream from now on."""
    find: Callable[[], Shortcut | None] | None = getattr(stream, "shortcut", None)
    return None if find is None else find()


async def receive_shared(
    stream: trio.abc.ReceiveStream, before: int
) -> tuple[bytes | bytearray, int]:
    """Receive once, into the buffer that all connections share if *stream* is a plain socket.

    Args:
        stream: the connection.
        before: number of bytes in the last receive.

    Returns:
        A buffer that is valid until another task runs, and the number of bytes at its beginning
        that were received; 0 at the end of the connection.
    """
    shortcut = shortcut_of(stream)
    if shortcut is None:
        data = await stream.receive_some(receive_size(before))
        return data, len(data)
    count = await shortcut.socket.receive_shared()
    shortcut.received(count)
    return SHARED, count


async def send_pieces(stream: trio.abc.SendStream, pieces: Sequence[bytes | memoryview]) -> int:
    """Send several pieces, without joining them if *stream* is a plain socket.

    Args:
        stream: the connection.
        pieces: see ``PlainSocket.send_pieces``.

    Returns:
        The number of bytes.
    """
    shortcut = shortcut_of(stream)
    if shortcut is None:
        data = b"".join(pieces)
        await stream.send_all(data)
        return len(data)
    size = await shortcut.socket.send_pieces(pieces)
    shortcut.sent(size)
    return size


class EarlyStream(trio.abc.HalfCloseableStream):
    """A connection from which some data has been read already.

    Args:
        stream: the connection.
        early: the data, which is received again first.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, early: bytes) -> None:
        self._stream = stream
        self._early = early

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive the early data first, then data of the connection."""
        if not self._early:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        size = len(self._early) if max_bytes is None else max_bytes
        data, self._early = self._early[:size], self._early[size:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of *data*."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the connection accepts more data."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End the sending direction only."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close both directions."""
        await self._stream.aclose()


def socket_of(stream: trio.abc.AsyncResource) -> trio.SocketStream | None:
    """The socket of *stream*; ``None`` for pipes of a process and for streams in memory."""
    inner: object = stream
    while not isinstance(inner, trio.SocketStream):
        inner = getattr(inner, "transport_stream", None)
        if inner is None:
            return None
    return inner


def client_of(stream: trio.abc.AsyncResource) -> Client:
    """The client of a connection; the TLS handshake must be complete."""
    identity = stream.peer_name if isinstance(stream, TLSStream) else ""
    socket = socket_of(stream)
    if socket is None:
        return Client("", identity)
    if socket.socket.family == trio.socket.AF_UNIX:
        return Client("unix", identity)
    with contextlib.suppress(OSError):  # it may have disconnected already
        return Client(str(socket.socket.getpeername()[0]), identity)
    return Client("", identity)


def keep_alive(
    stream: trio.abc.AsyncResource, options: Mapping[str, int] = RELAXED_KEEPALIVE
) -> None:
    """Enable TCP keep-alive, so that the kernel detects vanished peers of idle tunnels.

    Args:
        stream: ignored if it is not an open TCP connection.
        options: TCP options by name, in seconds and probes; unsupported options are skipped.
    """
    socket = socket_of(stream)
    if socket is None or socket.socket.family == trio.socket.AF_UNIX:
        return
    with contextlib.suppress(OSError):
        socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE, 1)
        for option, value in options.items():
            if hasattr(trio.socket, option):
                socket.setsockopt(trio.socket.IPPROTO_TCP, getattr(trio.socket, option), value)
