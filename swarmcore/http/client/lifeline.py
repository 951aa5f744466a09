"""Whether an engine that accepts no new connections is still alive on its open ones.

An engine that is shutting down, or behind a firewall that blocks new connections, still sends data
on open connections.  If no data arrives, the kernel knows whether the other side still acknowledges
keep-alive probes.
"""

import struct
from weakref import WeakSet

import trio

from swarmcore.http.plain_sockets import PlainSocket, Shortcut
from swarmcore.http.streams import RELAXED_KEEPALIVE, URGENT_KEEPALIVE, keep_alive, socket_of

#: Maximum age of an acknowledgement that counts; urgent probes are sent once a second.
_FRESH_MILLISECONDS = 2500
#: The beginning of Linux's ``tcp_info``: eight bytes, then 32-bit numbers, of which the thirteenth
#: is the age of the last acknowledgement in milliseconds.
_TCP_INFO = struct.Struct("=8x48xI")


class Lifeline:
    """The connections to one engine, and the time of the last received byte.

    Attributes:
        last_heard: trio time of the last byte; 0 before the first.
        takes_connections: whether the last attempt to open a connection succeeded.
    """

    def __init__(self) -> None:
        self.last_heard = 0.0
        self.takes_connections = True
        self._streams: WeakSet[EngineStream] = WeakSet()
        self._urgent = False

    def hold(self, stream: trio.abc.HalfCloseableStream) -> "EngineStream":
        """Monitor a new connection."""
        self.takes_connections = True
        held = EngineStream(stream, self)
        self._streams.add(held)
        if self._urgent:
            keep_alive(held, URGENT_KEEPALIVE)
        return held

    def hurry(self) -> None:
        """Probe every connection once a second, as the engine may have vanished."""
        if not self._urgent:
            self._probe(urgent=True)

    def relax(self) -> None:
        """Return to the normal probe interval."""
        if self._urgent:
            self._probe(urgent=False)

    def _probe(self, *, urgent: bool) -> None:
        self._urgent = urgent
        for stream in list(self._streams):
            keep_alive(stream, URGENT_KEEPALIVE if urgent else RELAXED_KEEPALIVE)

    def has_sign_since(self, moment: float) -> bool:
        """Whether the engine has shown a sign of life on some connection.

        If it accepts new connections and does not answer on them, only received bytes count, as the
        kernel of a hung engine acknowledges everything.  If it accepts none, an acknowledgement
        shows that the network works and that the other side knows the connection.

        Args:
            moment: trio time from which on signs count.
        """
        if self.last_heard > moment:
            return True
        return not self.takes_connections and any(map(_is_acknowledged, list(self._streams)))


class EngineStream(trio.abc.HalfCloseableStream):
    """A monitored connection to an engine.

    Args:
        stream: the connection.
        lifeline: notified of received bytes.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, lifeline: Lifeline) -> None:
        self.transport_stream = stream
        self._lifeline = lifeline

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive."""
        data = await self.transport_stream.receive_some(max_bytes)
        if data:
            self.note_heard()
        return data

    def note_heard(self) -> None:
        """Record that data has been received."""
        self._lifeline.last_heard = trio.current_time()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        await self.transport_stream.send_all(data)

    def shortcut(self) -> Shortcut | None:
        """See ``streams.shortcut_of``."""
        stream = self.transport_stream
        if not isinstance(stream, PlainSocket):
            return None
        return Shortcut(stream, lambda _: self.note_heard(), lambda _: None)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the connection accepts more data."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Close the sending direction only."""
        await self.transport_stream.send_eof()

    async def aclose(self) -> None:
        """Close both directions."""
        await self.transport_stream.aclose()


def _is_acknowledged(stream: EngineStream) -> bool:
    socket = socket_of(stream)
    option = getattr(trio.socket, "TCP_INFO", None)
    if socket is None or option is None or socket.socket.family == trio.socket.AF_UNIX:
        return False
    try:
        info = socket.socket.getsockopt(trio.socket.IPPROTO_TCP, option, _TCP_INFO.size)
    except OSError:
        return False  # it is closed
    return len(info) == _TCP_INFO.size and _TCP_INFO.unpack(info)[0] < _FRESH_MILLISECONDS
