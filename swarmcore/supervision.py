"""Keeping work alive that must not end: catch, log, wait, begin again.

The one place that catches every ``Exception``; cancellation passes.
"""

import logging
from collections.abc import Awaitable, Callable

import trio

log = logging.getLogger(__name__)

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


async def supervise(
    name: str,
    work: Callable[[], Awaitable[None]],
    failed: Callable[[Exception], object] = lambda error: None,
) -> None:
    """Run *work* until it returns; one that raises is started again after a pause.

    The pause doubles from failure to failure, up to a minute; work that ran for longer than that
    has recovered, and begins with the shortest pause again.

    Args:
        name: for the log.
        work: a callable that makes a new awaitable each time.
        failed: told of each failure.
    """
    pause = _FIRST_SECONDS
    while True:
        started = trio.current_time()
        try:
            await work()
        except Exception as error:
            if trio.current_time() - started > _LONGEST_SECONDS:
                pause = _FIRST_SECONDS
            log.exception("%s failed; trying again in %g s", name, pause)
            failed(error)
        else:
            return
        await trio.sleep(pause)
        pause = min(pause * 2, _LONGEST_SECONDS)
