"""Where an embedded engine accepts connections, and how a test breaks them."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable

import trio


class EngineListener(trio.abc.Listener[trio.abc.HalfCloseableStream]):
    """A listener that remembers its connections, so that a test can break them."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port on which it listens."""

    @abstractmethod
    def drop_all(self) -> None:
        """Close every open connection; tasks that wait on them get an error."""


#: Listens on a host and a port, of which 0 is any free port.
Listen = Callable[[str, int], Awaitable[EngineListener]]


class TrackedListener(EngineListener):
    """Accepts connections from a listener of trio.

    Args:
        listener: the other listener; it is closed with this one.
    """

    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener
        self._streams: set[trio.SocketStream] = set()

    @property
    def port(self) -> int:
        """See ``EngineListener``."""
        return int(self._listener.socket.getsockname()[1])

    async def accept(self) -> trio.SocketStream:
        """Wait for the next connection and return it."""
        stream = await self._listener.accept()
        self._streams = {each for each in self._streams if each.socket.fileno() != -1}
        self._streams.add(stream)
        return stream

    def drop_all(self) -> None:
        """See ``EngineListener``."""
        for stream in self._streams:
            stream.socket.close()
        self._streams.clear()

    async def aclose(self) -> None:
        """Stop listening; open connections stay."""
        await self._listener.aclose()


async def listen_tcp(host: str, port: int) -> EngineListener:
    """Listen on a TCP socket."""
    (listener,) = await trio.open_tcp_listeners(port, host=host)
    return TrackedListener(listener)
