"""Work that a request makes as large as it likes, in pieces between which others get their turn."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TypeVar

import trio

T = TypeVar("T")
#: How long a request works before others get a turn.
_SECONDS = 0.01
#: Work on more than this is done by a thread of its own.
_QUICK_BYTES = 64 * 1024


async def aside(work: Callable[[], T], size: int) -> T:
    """The result of *work*, which is pure; done beside everything else where it takes long.

    Args:
        size: bytes that are worked on.
    """
    return work() if size <= _QUICK_BYTES else await trio.to_thread.run_sync(work)


class Pace:
    """Lets others go on when a request has worked for a while."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def keep(self) -> None:
        """Let the others go on if it is their turn; quick where it is not."""
        if perf_counter() - self._since > _SECONDS:
            await trio.lowlevel.checkpoint()
            self._since = perf_counter()


async def passing(items: Iterable[T], test: Callable[[T], bool]) -> list[T]:
    """Those of *items* that pass *test*, in their order.

    Args:
        items: are looked at once, at the beginning: what comes and goes meanwhile changes nothing.
        test: of one of them.
    """
    pace, passed = Pace(), []
    for item in list(items):
        if test(item):
            passed.append(item)
        await pace.keep()
    return passed
