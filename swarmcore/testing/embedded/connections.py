"""A listener that remembers its connections, so that a test can break them."""

import trio


class TrackedListener(trio.abc.Listener[trio.SocketStream]):
    """Accepts like the listener that it wraps.

    Args:
        listener: owned from now on.
    """

    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener
        self._streams: set[trio.SocketStream] = set()

    async def accept(self) -> trio.SocketStream:
        """The next connection."""
        stream = await self._listener.accept()
        self._streams = {each for each in self._streams if each.socket.fileno() != -1}
        self._streams.add(stream)
        return stream

    def drop_all(self) -> None:
        """Break every connection that is open; whoever waits on one is woken."""
        for stream in self._streams:
            stream.socket.close()
        self._streams.clear()

    async def aclose(self) -> None:
        """Stop listening; connections stay."""
        await self._listener.aclose()
