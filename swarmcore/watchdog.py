"""The watchdog: detects plugins that block a decision, and interrupts them.

A decision is one synchronous step, so a plugin that does not return stops the whole manager.  A
thread reads the scheduler's progress and logs a slow plugin.  If the plugin still does not return,
the thread sends a signal to the main thread, whose handler raises an exception inside the plugin:
the create fails and the manager continues.  Native code that holds the interpreter lock cannot be
interrupted.

Other code that blocks the event loop, such as a hook or a handler that sleeps without ``await``, is
only logged.
"""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from swarmcore import clock
from swarmcore.errors import SwarmError
from swarmcore.scheduler import DecisionProgress

log = logging.getLogger(__name__)


#: After these times in one call, a plugin is logged, and interrupted.
SLOW_SECONDS = 1.0
LONGEST_SECONDS = 10.0
#: A signal that is not used otherwise: that of a CPU timer, which is never set.
_SIGNAL = signal.SIGVTALRM
#: Packages whose functions are called by plugins and by the core.
_NOT_PLUGINS = sys.stdlib_module_names | {"trio", "outcome", "pluggy", "h11"}


class PluginHangs(SwarmError):
    """A plugin did not return in time, so the create fails."""


@contextmanager
def watch_decisions(
    progress: DecisionProgress,
    *,
    slow_seconds: float = SLOW_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
    loop: "LoopWatch | None" = None,
) -> Iterator[None]:
    """Watch a scheduler's decisions, and an event loop, while the block runs.

    Only decisions in the main thread can be interrupted; others are only logged.

    Args:
        progress: the scheduler's progress.
        slow_seconds: time after which a call of a plugin is logged.
        longest_seconds: time after which it is interrupted.
        loop: watches the event loop outside of decisions.
    """
    watch = Watchdog(progress, slow_seconds, longest_seconds)
    is_main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(_SIGNAL, watch.interrupt) if is_main else None
    stop = threading.Event()
    thread = threading.Thread(
        target=_look_on, args=(watch, loop, stop, is_main), name="watchdog", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        if is_main:
            signal.signal(_SIGNAL, previous)


def _look_on(
    watch: "Watchdog", loop: "LoopWatch | None", stop: threading.Event, can_interrupt: bool
) -> None:
    main = threading.main_thread().ident or 0
    while not stop.wait(watch.slow_seconds / 4):
        if loop is not None and not watch.is_deciding:
            loop.look(clock.stopwatch(), watch.slow_seconds)
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

    @property
    def is_deciding(self) -> bool:
        """Whether a plugin is being called by a decision."""
        return bool(self._progress.asked)

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


class LoopWatch(trio.abc.Instrument):
    """Notices that the event loop of this thread does not return to waiting for I/O."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._turn, self._is_busy = 0, False
        self._seen, self._since, self._is_told = 0, 0.0, False

    def before_io_wait(self, timeout: float) -> None:
        """Called by trio when all tasks have run that could."""
        self._is_busy = False

    def after_io_wait(self, timeout: float) -> None:
        """Called by trio before tasks run again."""
        self._turn += 1
        self._is_busy = True

    def look(self, now: float, slow_seconds: float) -> None:
        """Log once what has kept the loop busy for *slow_seconds*; called by another thread.

        Args:
            now: seconds of a monotonic clock.
            slow_seconds: the time after which it is logged.
        """
        if not self._is_busy or self._turn != self._seen:
            self._seen, self._since, self._is_told = self._turn, now, False
        elif now - self._since >= slow_seconds and not self._is_told:
            self._is_told = True
            log.warning(
                "all requests have been waiting for %.1f s for %s, which must not block",
                now - self._since,
                _what_runs(self._thread),
            )


def watch_loop() -> LoopWatch:
    """Begin to watch the event loop of the current task; the result is for ``watch_decisions``."""
    loop = LoopWatch()
    trio.lowlevel.add_instrument(loop)
    return loop


def _what_runs(thread: int) -> str:
    """The innermost function of a thread that is of a plugin, or else of the core."""
    frame = sys._current_frames().get(thread)
    of_core = ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        root = module.partition(".")[0]
        if root not in _NOT_PLUGINS:
            text = (
                f"{module}.{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
            )
            if root != "swarmcore":
                return text
            of_core = of_core or text
        frame = frame.f_back
    return of_core or "the system"
