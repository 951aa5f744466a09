"""Answers that are read piece by piece, and uploads that are written so."""

from collections.abc import Callable

from swarmcore.http.client.call import Call, Head


class StreamedAnswer:
    """An answer whose body is read in pieces; it need not be read to its end.

    Args:
        head: the head of the answer.
        call: the call of the answer.
    """

    def __init__(self, head: Head, call: Call) -> None:
        self.status = head.status
        self.headers = head.headers
        self._call = call

    def __aiter__(self) -> "StreamedAnswer":
        return self

    async def __anext__(self) -> bytes:
        data = await self._call.read_data()
        if not data:
            raise StopAsyncIteration
        return data


class ChunkedUpload:
    """A request whose body is sent in pieces while its answer is read.

    Args:
        call: a call whose head has been sent and announces a chunked body.
        answered: called when the head of the answer has arrived.
    """

    def __init__(self, call: Call, answered: Callable[[], None]) -> None:
        self.send = call.send
        self.finish = call.finish
        self._call = call
        self._answered = answered

    async def answer(self) -> StreamedAnswer:
        """Wait for the head of the answer; see ``Call.read_head``."""
        head = await self._call.read_head()
        self._answered()
        return StreamedAnswer(head, self._call)
