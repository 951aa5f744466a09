"""The watchdog of decisions: a plugin that does not return would stop the whole manager.

A decision is one synchronous step: while a plugin does not return, nothing else happens at all.  A
thread reads the scheduler's progress.  It logs which plugin takes long, and sends a signal to the
main thread where that does not help: the signal's handler raises inside the plugin, so that the
create fails and the manager goes on.  A library that never gives the interpreter back cannot be
interrupted.
"""

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from swarmcore.errors import SwarmError
from swarmcore.scheduler import DecisionProgress

log = logging.getLogger(__name__)


#: How long a plugin may take before it is logged, and before it is interrupted.
SLOW_SECONDS = 1.0
LONGEST_SECONDS = 10.0
#: A signal that nothing else here uses: that of a timer of CPU time, which is never set.
_SIGNAL = signal.SIGVTALRM


class PluginHangs(SwarmError):
    """A plugin did not return; this create fails, the next one is tried anew."""


@contextmanager
def watch_decisions(
    progress: DecisionProgress,
    *,
    slow_seconds: float = SLOW_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> Iterator[None]:
    """Watch a scheduler's decisions while the block lasts.

    Interrupts only the main thread; decisions in another thread are only logged.

    Args:
        progress: the scheduler's.
        slow_seconds: how long a call of a plugin may take before it is logged.
        longest_seconds: how long it may take before it is interrupted.
    """
    watch = Watchdog(progress, slow_seconds, longest_seconds)
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(_SIGNAL, watch.interrupt) if is_main else None
    stop = threading.Event()
    thread = threading.Thread(
        target=_look_on, args=(watch, stop, is_main), name="watchdog", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        if is_main:
            signal.signal(_SIGNAL, previous)


def _look_on(watch: "Watchdog", stop: threading.Event, can_interrupt: bool) -> None:
    main = threading.main_thread().ident or 0
    while not stop.wait(watch.slow_seconds / 4):
        if watch.look(time.monotonic()) and can_interrupt:
            signal.pthread_kill(main, _SIGNAL)


class Watchdog:
    """What is remembered of a decision's progress; arguments as of ``watch_decisions``."""

    def __init__(
        self, progress: DecisionProgress, slow_seconds: float, longest_seconds: float
    ) -> None:
        self.slow_seconds, self.longest_seconds = slow_seconds, longest_seconds
        self._progress = progress
        self._number, self._since, self._is_told = 0, 0.0, False
        #: The decision that is to be interrupted; another may have begun by then.
        self._overdue = 0

    def look(self, now: float) -> bool:
        """Log a plugin that takes long; whether the decision is to be interrupted.

        Args:
            now: seconds of a clock that only goes on.
        """
        asked, number = self._progress.asked, self._progress.number
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
        """Raise in the main thread, if that is still inside of the decision that is overdue.

        Raises:
            PluginHangs: names the plugin.
        """
        if self._progress.asked and self._progress.number == self._overdue:
            raise PluginHangs(
                f"{self._progress.asked} did not return for {self.longest_seconds:g} s"
            )
