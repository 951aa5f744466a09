"""Connections of every kind: the errors of a broken one, its peer, its keep-alive."""

import contextlib
import ssl
from collections.abc import Mapping

import trio

from swarmcore.http.messages import Client
from swarmcore.http.tls import TLSStream

#: Raised by sending and receiving on a connection that is closed or broken.
BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError)

#: Asked for at once, as long as less comes: memory for more is mapped anew for every receive, which
#: costs 25 µs.
_LITTLE_BYTES = 1 << 16
#: Asked for at once while much comes: the cost of a piece shows in a stream of gigabytes.
_MUCH_BYTES = 1 << 18

#: A vanished peer is detected after two minutes of silence: 30 s, and three probes.
RELAXED_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 3}
#: For a suspected peer: it is detected after ten seconds.
URGENT_KEEPALIVE = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 9}


def receive_size(before: int) -> int:
    """How many bytes to ask a connection for.

    Args:
        before: how many came when it was asked last.
    """
    return _MUCH_BYTES if before >= _LITTLE_BYTES else _LITTLE_BYTES


class EarlyStream(trio.abc.HalfCloseableStream):
    """A connection from which something has been read already.

    Args:
        stream: the connection.
        early: what was read; it is received again, first.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, early: bytes) -> None:
        self._stream = stream
        self._early = early

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What came early, then what comes."""
        if not self._early:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        size = len(self._early) if max_bytes is None else max_bytes
        data, self._early = self._early[:size], self._early[size:]
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the connection takes more."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End the sending direction only."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close both directions."""
        await self._stream.aclose()


def socket_of(stream: trio.abc.AsyncResource) -> trio.SocketStream | None:
    """The socket under *stream*; ``None`` for a process's pipes and for streams in memory."""
    inner: object = stream
    while not isinstance(inner, trio.SocketStream):
        inner = getattr(inner, "transport_stream", None)
        if inner is None:
            return None
    return inner


def client_of(stream: trio.abc.AsyncResource) -> Client:
    """The client at the other end of a connection, whose handshake is done."""
    identity = stream.peer_name if isinstance(stream, TLSStream) else ""
    socket = socket_of(stream)
    if socket is None:
        return Client("", identity)
    if socket.socket.family == trio.socket.AF_UNIX:
        return Client("unix", identity)
    with contextlib.suppress(OSError):  # it may have left already
        return Client(str(socket.socket.getpeername()[0]), identity)
    return Client("", identity)


def keep_alive(
    stream: trio.abc.AsyncResource, options: Mapping[str, int] = RELAXED_KEEPALIVE
) -> None:
    """Have the kernel detect vanished peers: tunnels may be idle for hours.

    Args:
        stream: nothing is done where this is no TCP connection, or a closed one.
        options: TCP options by name, in seconds and probes; those this system lacks are skipped.
    """
    socket = socket_of(stream)
    if socket is None or socket.socket.family == trio.socket.AF_UNIX:
        return
    with contextlib.suppress(OSError):
        socket.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_KEEPALIVE, 1)
        for option, value in options.items():
            if hasattr(trio.socket, option):
                socket.setsockopt(trio.socket.IPPROTO_TCP, getattr(trio.socket, option), value)
