"""Runs many plans, each in a process of its own that begins with the same memory.

What one run leaves in caches would otherwise change the next one, and a seed that failed in a range
would not fail alone.
"""

import os
import pickle
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NoReturn, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

_READ_BYTES = 1 << 16


class RunLost(Exception):
    """A process ended without a result, or had to be killed."""


def run_forked(
    work: Callable[[_T], _R], items: Iterable[_T], *, jobs: int, seconds: float
) -> Iterator[tuple[_T, _R]]:
    """Run *work* for each item in a new process; yield results as they come.

    Args:
        work: returns what can be pickled.
        items: what it is called with.
        jobs: the number of processes at the same time.
        seconds: after this time of CPU a process is killed.

    Raises:
        RunLost: a process had no result.
    """
    waiting, running = iter(items), dict[int, _Child[_T]]()
    while True:
        while len(running) < jobs and (item := next(waiting, None)) is not None:
            child = _Child(work, item, seconds)
            running[child.reader] = child
        if not running:
            return
        ready, _, _ = select.select(list(running), [], [])
        for reader in ready:
            if running[reader].read():
                continue
            child = running.pop(reader)
            yield child.item, child.result()


class _Child(Generic[_T]):
    """One process, which calls *work* with *item*."""

    def __init__(self, work: Callable[[_T], object], item: _T, seconds: float) -> None:
        self.item = item
        self.reader, writer = os.pipe()
        self._pieces: list[bytes] = []
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self.reader)
            _work_and_exit(work, item, writer, seconds)
        os.close(writer)

    def read(self) -> bool:
        """Read a piece of the result; return whether more may come."""
        piece = os.read(self.reader, _READ_BYTES)
        self._pieces.append(piece)
        return bool(piece)

    def result(self) -> Any:
        """Return the result, when everything is read.

        Raises:
            RunLost: there is none.
        """
        os.close(self.reader)
        _, status = os.waitpid(self._pid, 0)
        if status != 0:
            raise RunLost(f"{self.item}: the process ended with status {status}")
        return pickle.loads(b"".join(self._pieces))


def _work_and_exit(work: Callable[[_T], object], item: _T, writer: int, seconds: float) -> NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
        with open(writer, "wb") as pipe:
            pickle.dump(work(item), pipe)
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)
