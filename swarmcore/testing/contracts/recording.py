"""What sinks that keep what they are told have in common: a test waits for what it expects."""

from collections.abc import Callable

import trio


class Recording:
    """Tells who waits that something was said."""

    def __init__(self) -> None:
        self._told = trio.Event()

    async def wait_until(self, state: Callable[[], bool]) -> None:
        """Return as soon as *state* holds; it is asked again after each call."""
        while not state():
            await self._told.wait()

    def _tell(self) -> None:
        self._told.set()
        self._told = trio.Event()
