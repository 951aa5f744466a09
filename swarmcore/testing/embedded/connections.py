"""A listener that remembers its connections, so that a test can break them."""

import trio


class TrackedListener(trio.abc.Listener[trio.SocketStream]):
    """Accepts connections from another listener.

    Args:
        listener: the other listener; it is closed with this one.
    """

    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener
        self._streams: set[trio.SocketStream] = set()

    async def accept(self) -> trio.SocketStream:
        """Wait for the next connection and return it."""
        stream = await self._listener.accept()
        self._streams = {each for each in self._streams if each.socket.fileno() != -1}
        self._streams.add(stream)
        return stream

    def drop_all(self) -> None:
        """Close every open connection; tasks that wait on them get an error."""
        for stream in self._streams:
            stream.socket.close()
        self._streams.clear()

    async def aclose(self) -> None:
        """Stop listening; open connections stay."""
        await self._listener.aclose()
