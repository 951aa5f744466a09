"""Sends requests of several tasks at once, which costs half of sending them one by one.

Each task asks as if it were alone.  So what it notes before it asks, such as which containers are
known, is older than the answer, as if it had sent the request itself.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import trio

from swarmcore.errors import EngineError
from swarmcore.http.messages import Answer

_Ask = Callable[[str], Awaitable[Answer]]
_AskSeveral = Callable[[Sequence[str]], Awaitable[Sequence[Answer]]]


class AskedTogether:
    """Asks one engine; some paths at once while ``batch`` is open.

    Args:
        ask: sends GET to a path; raises ``EngineUnreachable``.
        ask_several: the same for several paths.
    """

    def __init__(self, ask: _Ask, ask_several: _AskSeveral) -> None:
        self._ask = ask
        self._ask_several = ask_several
        self._batch: _Batch | None = None

    async def ask(self, path: str) -> Answer:
        """The answer to GET *path*.

        Raises:
            EngineUnreachable: there is none.
        """
        batch = self._batch
        answer = await batch.answer(path) if batch and path in batch.missing else None
        # None also if the task that sent the batch was cancelled.
        return await self._ask(path) if answer is None else answer

    @contextmanager
    def batch(self, *paths: str) -> Iterator[None]:
        """Send *paths* at once when each has been asked for; the block must ask for all of them."""
        self._batch = _Batch(paths, self._ask_several)
        try:
            yield
        finally:
            self._batch = None


class _Batch:
    """Requests that wait for each other.

    Attributes:
        missing: the paths that have not been asked for.
    """

    def __init__(self, paths: Sequence[str], ask_several: _AskSeveral) -> None:
        self.missing = set(paths)
        self._paths = paths
        self._ask_several = ask_several
        self._answers: dict[str, Answer] = {}
        self._failure: EngineError | None = None
        self._sent = trio.Event()

    async def answer(self, path: str) -> Answer | None:
        self.missing.discard(path)
        if self.missing:
            await self._sent.wait()
        else:
            await self._send()
        if self._failure is not None:
            raise self._failure
        return self._answers.get(path)

    async def _send(self) -> None:
        try:
            answers = await self._ask_several(self._paths)
            self._answers = dict(zip(self._paths, answers, strict=True))
        except EngineError as error:
            self._failure = error
        finally:
            self._sent.set()
