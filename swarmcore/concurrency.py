"""Tasks that must not end early, or must not end others: restarted, completed, isolated."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import trio

log = logging.getLogger(__name__)

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0


async def supervise(
    name: str,
    work: Callable[[], Awaitable[None]],
    failed: Callable[[Exception], object] = lambda error: None,
) -> None:
    """Run *work* until it returns; if it raises an exception, start it again after a pause.

    The pause doubles from failure to failure, up to a minute.  It starts again at one second after
    *work* has run for longer than a minute.

    Args:
        name: for the log.
        work: returns a new awaitable on each call.
        failed: called with each exception.
    """
    pause = _FIRST_SECONDS
    while True:
        started = trio.current_time()
        try:
            await in_own_task(work)
        except Exception as error:
            if trio.current_time() - started > _LONGEST_SECONDS:
                pause = _FIRST_SECONDS
            log.exception("%s failed; trying again in %g s", name, pause)
            failed(error)
        else:
            return
        await trio.sleep(pause)
        pause = min(pause * 2, _LONGEST_SECONDS)


async def in_own_task(work: Callable[[], Awaitable[None]]) -> None:
    """Run *work* in a task of its own, which it can damage without damaging the caller's.

    If code leaves a nursery or a cancel scope open, trio ends the task with a ``RuntimeError``; in
    a task that others share, it would end all of them.

    Raises:
        Exception: any exception of *work*.
        ExceptionGroup: with trio's ``RuntimeError``.
    """
    failures: list[Exception] = []

    async def run() -> None:
        try:
            await work()
        except Exception as error:  # raised below: the nursery would wrap it in a group
            failures.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
    if failures:
        raise failures[0]


# ---- work that is completed even if its caller is cancelled


T = TypeVar("T")


@dataclass(slots=True)
class _Result(Generic[T]):
    done: trio.Event = field(default_factory=trio.Event)
    values: list[T] = field(default_factory=list)
    error: Exception | None = None


class Completion:
    """Runs tasks that may outlive their callers; they are cancelled with ``run``."""

    def __init__(self) -> None:
        self._nursery: trio.Nursery | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the tasks until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            task_status.started()
            await trio.sleep_forever()

    async def finish(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run *work* and wait for it.  Cancelling the caller does not cancel *work*.

        Raises:
            Exception: any exception of *work*.
        """
        if self._nursery is None:
            raise RuntimeError("Completion.run() is not running")
        result: _Result[T] = _Result()
        self._nursery.start_soon(self._carry_out, work, result)
        try:
            await result.done.wait()
        except trio.Cancelled:
            log.debug("the caller has gone; %r goes on", work)
            raise
        if result.error is not None:
            raise result.error
        return result.values[0]

    async def _carry_out(self, work: Callable[[], Awaitable[T]], result: _Result[T]) -> None:
        try:
            result.values.append(await work())
        except Exception as error:
            result.error = error
        result.done.set()
