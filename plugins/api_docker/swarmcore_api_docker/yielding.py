"""Split up long work of one request so that other tasks can run in between.

A client decides how many objects a list has to test, so such work must not block the event loop.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import trio

from swarmcore import clock
from swarmcore.threads import in_thread

T = TypeVar("T")
#: How long a request works before other tasks can run.
_SECONDS = 0.01
#: Work on more bytes than this runs in a thread.
_QUICK_BYTES = 64 * 1024


async def run_large(work: Callable[[], T], size: int) -> T:
    """Do *work*, in a thread if it would block the event loop for long.

    Args:
        work: a pure function, which may run in any thread.
        size: the size of its input in bytes.

    Returns:
        The result of *work*.
    """
    return work() if size <= _QUICK_BYTES else await in_thread(work)


class Yielder:
    """Lets other tasks run whenever a request has worked for 10 ms."""

    def __init__(self) -> None:
        self._since = clock.stopwatch()

    async def checkpoint(self) -> None:
        """Let other tasks run if 10 ms have passed; call this after each piece of work."""
        if clock.stopwatch() - self._since > _SECONDS:
            await trio.lowlevel.checkpoint()
            self._since = clock.stopwatch()


async def select_items(items: Iterable[T], test: Callable[[T], bool]) -> list[T]:
    """Return the items that pass *test*, in their order.

    Args:
        items: read once at the beginning, so that the collection may change meanwhile.
        test: a quick test of one item.
    """
    yielder, passed = Yielder(), []
    for item in list(items):
        if test(item):
            passed.append(item)
        await yielder.checkpoint()
    return passed
