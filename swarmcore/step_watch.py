"""Watching that decisions get on: a plugin that does not return would stop the whole manager.

A thread looks on.  It logs who takes long, and sends a signal to the main thread where that does
not help: the signal's handler raises inside the plugin, so that the create fails and the manager
goes on.  What keeps the interpreter to itself (a library that never gives it back) cannot be
interrupted.
"""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from swarmcore.errors import SwarmError
from swarmcore.scheduler import Step

log = logging.getLogger(__name__)

#: From when on a decision is slow, and from when on it is interrupted.
SLOW_SECONDS = 1.0
LONGEST_SECONDS = 10.0
#: Nobody else's: a timer's, which counts CPU time, and no such timer is set here.
_SIGNAL = signal.SIGVTALRM


class PluginHangs(SwarmError):
    """A plugin did not return; this create fails, the next one is tried anew."""


@contextmanager
def watch_step(
    step: Step, *, slow_seconds: float = SLOW_SECONDS, longest_seconds: float = LONGEST_SECONDS
) -> Iterator[None]:
    """Watch *step* while the block lasts.

    Interrupts only the main thread; in any other it does no more than log.

    Args:
        step: a scheduler's.
        slow_seconds: how long a decision may take without a word.
        longest_seconds: how long it may take.
    """
    watch = StepWatch(step, slow_seconds, longest_seconds)
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(_SIGNAL, watch.interrupt) if is_main else None
    stop = threading.Event()
    thread = threading.Thread(
        target=_look_on, args=(watch, stop, is_main), name="step watch", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        if is_main:
            signal.signal(_SIGNAL, previous)


def _look_on(watch: "StepWatch", stop: threading.Event, can_interrupt: bool) -> None:
    main = threading.main_thread().ident or 0
    while not stop.wait(watch.slow_seconds / 4):
        if watch.look(time.monotonic()) and can_interrupt:
            signal.pthread_kill(main, _SIGNAL)


class StepWatch:
    """What a watcher remembers of a step; arguments as of ``watch_step``."""

    def __init__(self, step: Step, slow_seconds: float, longest_seconds: float) -> None:
        self.slow_seconds, self.longest_seconds = slow_seconds, longest_seconds
        self._step = step
        self._number, self._since, self._is_told = 0, 0.0, False
        #: The decision that is to be interrupted; another may have begun by then.
        self._overdue = 0

    def look(self, now: float) -> bool:
        """Log who takes long; whether the decision is to be interrupted.

        Args:
            now: seconds of a clock that only goes on.
        """
        asked, number = self._step.asked, self._step.number
        if not asked or number != self._number:
            self._number, self._since, self._is_told = number, now, False
            return False
        seconds = now - self._since
        if seconds >= self.slow_seconds and not self._is_told:
            log.warning("%s takes long to place a container; everybody waits", asked)
            self._is_told = True
        if seconds < self.longest_seconds:
            return False
        log.error("%s has not returned for %.1f s", asked, seconds)
        self._overdue = number
        return True

    def interrupt(self, number: int, frame: object) -> None:
        """Raise where the main thread is, if that is inside of the decision that is overdue.

        Raises:
            PluginHangs: names the plugin.
        """
        if self._step.asked and self._step.number == self._overdue:
            raise PluginHangs(f"{self._step.asked} did not return for {self.longest_seconds:g} s")
