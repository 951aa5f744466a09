"""Work that would block the event loop: the only module that starts trio's threads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import trio

_T = TypeVar("_T")

_are_used = True


async def in_thread(work: Callable[..., _T], *args: Any, abandon_on_cancel: bool = False) -> _T:
    """Run *work* in a thread and return its result.

    Args:
        work: a function that takes long, or waits for a disk or for a lock.
        args: its arguments.
        abandon_on_cancel: whether a cancelled caller leaves the thread running; otherwise the
            caller waits for it.

    Raises:
        Exception: any exception of *work*.
    """
    if _are_used:
        return await trio.to_thread.run_sync(work, *args, abandon_on_cancel=abandon_on_cancel)
    await trio.lowlevel.checkpoint()
    return work(*args)


@contextmanager
def avoided() -> Iterator[None]:
    """Run work in the event loop while the block runs; for simulations, whose order is fixed."""
    global _are_used
    before, _are_used = _are_used, False
    try:
        yield
    finally:
        _are_used = before
