"""A request whose body is sent piece by piece, for whoever has the pieces."""

from collections.abc import Callable

from swarmcore.upstream.call import Call, StreamedAnswer


class ChunkedUpload:
    """A request whose body is sent piece by piece while its answer is read.

    Args:
        call: its head is sent, with a chunked body announced.
        answered: told when the answer's head is there.
    """

    def __init__(self, call: Call, answered: Callable[[], None]) -> None:
        self._call = call
        self._answered = answered

    async def send(self, data: bytes) -> None:
        """A piece of the body; see ``Call.send``."""
        await self._call.send(data)

    async def finish(self) -> None:
        """The end of the body; see ``Call.finish``."""
        await self._call.finish()

    async def answer(self) -> StreamedAnswer:
        """The answer, once its head is there; see ``Call.read_head``."""
        head = await self._call.read_head()
        self._answered()
        return StreamedAnswer(head, self._call)
