"""Copies bytes in both directions between two streams; each direction ends separately."""

from math import inf

import trio

from swarmcore.http.plain_sockets import PlainSocket, pass_on
from swarmcore.http.splicing import LARGE_BYTES, CannotSplice, splice_on
from swarmcore.http.streams import BROKEN, receive_size, shortcut_of

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
        #: Ended by silence, once the direction is hurried.
        self._copying = trio.CancelScope()
        self._received = 0
        self._splices = True
        self._hurried = False

    async def run(self, hurries: "_Direction | None") -> None:
        """Copy to the end, pass the end on, then limit the silence of *hurries*, if given."""
        try:
            with self._copying:
                while await self._copy():
                    self._await_data()
            await self._sink.send_eof()
        except BROKEN:
            self._both.cancel()
        if hurries is not None:
            hurries.hurry()

    def hurry(self) -> None:
        """End this direction after some time without data."""
        self._hurried = True
        self._await_data()

    def _await_data(self) -> None:
        if self._hurried:
            self._copying.deadline = trio.current_time() + _SILENCE_SECONDS

    async def _copy(self) -> bool:
        """Copy what has arrived; return whether there was something."""
        source, sink = shortcut_of(self._source), shortcut_of(self._sink)
        if source is not None and sink is not None and not self._hurried:
            self._received = await self._move(source.socket, sink.socket)
            source.received(self._received)
            sink.sent(self._received)
            return self._received > 0
        data = await self._source.receive_some(receive_size(self._received))
        if not data:
            return False
        self._received = len(data)
        self._copying.deadline = inf  # a slow receiver is no silence
        await self._sink.send_all(data)
        return True

    async def _move(self, source: PlainSocket, sink: PlainSocket) -> int:
        """Move the next piece by the way that is best for a piece as large as the last one."""
        if self._splices and self._received >= LARGE_BYTES:
            try:
                return await splice_on(source, sink)
            except CannotSplice:
                self._splices = False
        return await pass_on(source, sink)
