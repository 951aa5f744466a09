"""Copies bytes in both directions between two streams; each direction ends separately."""

import trio

from swarmcore.http.streams import BROKEN, receive_size

#: How long a client may be silent after the engine has ended its direction.  The engine is then
#: done with the hijacked connection, but the client may still be sending.
_SILENCE_SECONDS = 30.0


async def tunnel(
    client: trio.abc.HalfCloseableStream, engine: trio.abc.HalfCloseableStream
) -> None:
    """Copy bytes until both directions have ended.

    The end of one direction is passed on, and the other direction continues: the end of standard
    input must not cut off the output.  A broken connection ends both directions, as an engine
    notices a vanished client only by a closed socket.  Without an end, both may be idle for hours.

    Args:
        client: the client's connection; not closed here.
        engine: the engine's connection; not closed here.
    """
    async with trio.open_nursery() as nursery:
        back = _Direction(engine, client, nursery.cancel_scope)
        forth = _Direction(client, engine, nursery.cancel_scope)
        nursery.start_soon(back.run, forth)
        nursery.start_soon(forth.run, None)


class _Direction:
    def __init__(
        self,
        source: trio.abc.ReceiveStream,
        sink: trio.abc.HalfCloseableStream,
        both: trio.CancelScope,
    ) -> None:
        self._source = source
        self._sink = sink
        self._both = both
        self._receiving = trio.CancelScope()
        self._received = 0
        self._hurried = False

    async def run(self, hurries: "_Direction | None") -> None:
        """Copy to the end, pass the end on, then limit the silence of *hurries*, if given."""
        try:
            while data := await self._receive():
                await self._sink.send_all(data)
            await self._sink.send_eof()
        except BROKEN:
            self._both.cancel()
        if hurries is not None:
            hurries.hurry()

    def hurry(self) -> None:
        """End this direction after some time without data."""
        self._hurried = True
        self._receiving.deadline = trio.current_time() + _SILENCE_SECONDS

    async def _receive(self) -> bytes | bytearray:
        with trio.CancelScope() as self._receiving:
            if self._hurried:
                self._receiving.deadline = trio.current_time() + _SILENCE_SECONDS
            data = await self._source.receive_some(receive_size(self._received))
            self._received = len(data)
            return data
        return b""
