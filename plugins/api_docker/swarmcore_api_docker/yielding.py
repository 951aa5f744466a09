"""Long work of one request, cut up so that other tasks get their turn.

A client decides how much a list has to test, so that no such work may hold up the event loop.
"""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TypeVar

import trio

T = TypeVar("T")
#: How long a request works before other tasks get a turn.
_SECONDS = 0.01
#: Work on more bytes than this runs in a thread.
_QUICK_BYTES = 64 * 1024


async def run_large(work: Callable[[], T], size: int) -> T:
    """Do *work*, in a thread where it would hold up the event loop.

    Args:
        work: pure work, which may run in any thread.
        size: the size of its input in bytes.

    Returns:
        The result of *work*.
    """
    return work() if size <= _QUICK_BYTES else await trio.to_thread.run_sync(work)


class Yielder:
    """Yields to other tasks when a request has worked for 10 ms."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def checkpoint(self) -> None:
        """Yield if it is time to; call it after each piece of work."""
        if perf_counter() - self._since > _SECONDS:
            await trio.lowlevel.checkpoint()
            self._since = perf_counter()


async def select_items(items: Iterable[T], test: Callable[[T], bool]) -> list[T]:
    """The items that pass *test*, in their order.

    Args:
        items: read once at the beginning, so that it may change meanwhile.
        test: a quick test of one item.
    """
    yielder, passed = Yielder(), []
    for item in list(items):
        if test(item):
            passed.append(item)
        await yielder.checkpoint()
    return passed
