"""Creates and starts take turns at an engine, where an operator limits how many it has at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


class Turns:
    """Lets so many work at one engine at once; the others wait, in the order in which they came.

    Args:
        limit: how many; 0 for any number.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._lines: dict[str, trio.Semaphore] = {}

    async def take(self, node_id: str) -> None:
        """Wait for a turn; whoever gets one gives it back."""
        if self._limit:
            new = trio.Semaphore(self._limit, max_value=self._limit)
            await self._lines.setdefault(node_id, new).acquire()

    def give_back(self, node_id: str) -> None:
        """The turn is over."""
        if self._limit:
            line = self._lines[node_id]
            line.release()
            if line.value == self._limit:
                del self._lines[node_id]

    @asynccontextmanager
    async def turn(self, node_id: str) -> AsyncIterator[None]:
        """A turn that lasts as long as the block."""
        await self.take(node_id)
        try:
            yield
        finally:
            self.give_back(node_id)
