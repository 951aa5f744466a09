"""One read that callers share: each gets an answer to a later question than its own.

A caller that has just changed something may use no read that began before the change.  So a read
that is under way serves nobody who comes meanwhile; the next one serves all of them together.
"""

from collections.abc import Awaitable, Callable

import trio

from swarmcore.errors import EngineError


class FreshRead:
    """Shares a read.

    Args:
        read: asks the engine once and puts the answer where it belongs; raises ``EngineError``.
    """

    def __init__(self, read: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._turn = trio.Lock()
        self._begun = 0
        self._ended = 0
        self._failure: EngineError | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody reads or waits."""
        return not self._turn.locked()

    async def __call__(self) -> None:
        """Return when a read has ended that began after this call.

        Raises:
            EngineError: it failed; every caller that it served is told.
        """
        wanted = self._begun + 1
        async with self._turn:
            if self._ended >= wanted:
                if self._failure is not None:
                    raise self._failure
                return
            self._begun += 1
            number, self._failure = self._begun, None
            try:
                await self._read()
            except EngineError as error:
                self._failure = error
            # One that was cancelled does not come here: the next caller reads for itself.
            self._ended = number
            if self._failure is not None:
                raise self._failure
