"""Whether an engine that takes no new connections is still alive on those that are open.

An engine that shuts down, or one behind a firewall that blocks new connections, goes on talking on
the open ones.  Bytes prove that; where none come, the kernel knows whether the far end still
acknowledges keep-alive probes.
"""

import struct
from weakref import WeakSet

import trio

from swarmcore.http.streams import RELAXED_KEEPALIVE, URGENT_KEEPALIVE, keep_alive, socket_of

#: Urgent keep-alive probes once a second; an acknowledgement this young answers one of them.
_FRESH_MILLISECONDS = 2500
#: The beginning of Linux's ``tcp_info``: eight bytes, then numbers of 32 bits, of which the
#: thirteenth is the age of the last acknowledgement in milliseconds.
_TCP_INFO = struct.Struct("=8x48xI")


class Lifeline:
    """The connections to one engine, and when a byte last came on any of them.

    Attributes:
        last_heard: trio time of the last byte; 0 before the first.
        takes_connections: whether the last attempt to make one succeeded.
    """

    def __init__(self) -> None:
        self.last_heard = 0.0
        self.takes_connections = True
        self._streams: WeakSet[EngineStream] = WeakSet()
        self._urgent = False

    def hold(self, stream: trio.abc.HalfCloseableStream) -> "EngineStream":
        """Watch over a connection that was just made."""
        self.takes_connections = True
        held = EngineStream(stream, self)
        self._streams.add(held)
        if self._urgent:
            keep_alive(held, URGENT_KEEPALIVE)
        return held

    def hurry(self) -> None:
        """Have the kernel probe the far end of every connection every second: it may be gone."""
        if not self._urgent:
            self._probe(urgent=True)

    def relax(self) -> None:
        """Probe as rarely as before: the engine is well."""
        if self._urgent:
            self._probe(urgent=False)

    def _probe(self, *, urgent: bool) -> None:
        self._urgent = urgent
        for stream in list(self._streams):
            keep_alive(stream, URGENT_KEEPALIVE if urgent else RELAXED_KEEPALIVE)

    def has_sign_since(self, moment: float) -> bool:
        """Whether the engine has shown on some connection that it lives.

        Where it takes new connections and does not answer on them, only bytes count: the kernel of
        an engine that hangs acknowledges everything.  Where it takes none, an acknowledgement shows
        that the network path is open and that the connection is known there.

        Args:
            moment: trio time.
        """
        if self.last_heard > moment:
            return True
        return not self.takes_connections and any(map(_is_acknowledged, list(self._streams)))


class EngineStream(trio.abc.HalfCloseableStream):
    """A connection to an engine.

    Args:
        stream: the connection itself.
        lifeline: told of each byte that comes.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, lifeline: Lifeline) -> None:
        self.transport_stream = stream
        self._lifeline = lifeline

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive."""
        data = await self.transport_stream.receive_some(max_bytes)
        if data:
            self._lifeline.last_heard = trio.current_time()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        await self.transport_stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the connection takes more."""
        await self.transport_stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End the sending direction only."""
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
