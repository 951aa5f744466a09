"""The watchdog: detects plugins that block a decision, and interrupts them.

A decision is one synchronous step, so a plugin that does not return stops the whole manager.  A
thread reads the scheduler's progress and logs a slow plugin.  If the plugin still does not return,
the thread sends a signal to the main thread, whose handler raises an exception inside the plugin:
the create fails and the manager continues.  Native code that holds the interpreter lock cannot be
interrupted.
"""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from swarmcore import clock
from swarmcore.errors import SwarmError
from swarmcore.scheduler import DecisionProgress

log = logging.getLogger(__name__)


#: After these times in one call, a plugin is logged, and interrupted.
SLOW_SECONDS = 1.0
LONGEST_SECONDS = 10.0
#: A signal that is not used otherwise: that of a CPU timer, which is never set.
_SIGNAL = signal.SIGVTALRM


class PluginHangs(SwarmError):
    """A plugin did not return in time, so the create fails."""


@contextmanager
def watch_decisions(
    progress: DecisionProgress,
    *,
    slow_seconds: float = SLOW_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> Iterator[None]:
    """Watch a scheduler's decisions while the block runs.

    Only decisions in the main thread can be interrupted; others are only logged.

    Args:
        progress: the scheduler's progress.
        slow_seconds: time after which a call of a plugin is logged.
        longest_seconds: time after which it is interrupted.
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
        if watch.look(clock.stopwatch()) and can_interrupt:
            signal.pthread_kill(main, _SIGNAL)


class Watchdog:
    """Tracks the progress of decisions; arguments as for ``watch_decisions``."""

    def __init__(
        self, progress: DecisionProgress, slow_seconds: float, longest_seconds: float
    ) -> None:
        self.slow_seconds, self.longest_seconds = slow_seconds, longest_seconds
        self._progress = progress
        self._number, self._since, self._is_told = 0, 0.0, False
        #: Number of the decision to interrupt; another may have begun when the signal arrives.
        self._overdue = 0

    def look(self, now: float) -> bool:
        """Log a slow plugin; return whether the decision must be interrupted.

        Args:
            now: seconds of a monotonic clock.
        """
        asked, number = self._progress.asked, self._progress.number
        if not asked or number != self._number:
            self._number, self._since, self._is_told = number, now, False
            return False
        seconds = now - self._since
        if seconds >= self.slow_seconds and not self._is_told:
            log.warning(
                "%s has been placing a container for %.1f s; all other requests wait",
                asked,
                seconds,
            )
            self._is_told = True
        if seconds < self.longest_seconds:
            return False
        log.error("%s has not returned for %.1f s", asked, seconds)
        self._overdue = number
        return True

    def interrupt(self, number: int, frame: object) -> None:
        """Raise an exception in the main thread if it is still in the decision to interrupt.

        Raises:
            PluginHangs: the text names the plugin.
        """
        if self._progress.asked and self._progress.number == self._overdue:
            raise PluginHangs(
                f"{self._progress.asked} did not return for {self.longest_seconds:g} s"
            )
