"""The wall clock and the stopwatch: the only module that reads the clocks of ``time``.

Durations and deadlines are measured by ``trio.current_time``.  A simulation replaces all three.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_wall: Callable[[], float] = time.time
_wall_nanoseconds: Callable[[], int] = time.time_ns
_stopwatch: Callable[[], float] = time.perf_counter


def unix_seconds() -> float:
    """The wall clock in Unix seconds; it can be set, so it may also go back."""
    return _wall()


def unix_nanoseconds() -> int:
    """The wall clock in Unix nanoseconds."""
    return _wall_nanoseconds()


def monotonic_microseconds() -> int:
    """The system's monotonic clock in microseconds, for systemd, which compares it with its own."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def local_time() -> datetime:
    """The wall clock in the time zone of the machine."""
    return datetime.fromtimestamp(_wall(), UTC).astimezone()


def stopwatch() -> float:
    """Seconds of a clock that only goes forward, from an unknown start.

    For work without ``await``, which no deadline of trio can measure.
    """
    return _stopwatch()


@contextmanager
def replaced(wall_nanoseconds: Callable[[], int], stopwatch: Callable[[], float]) -> Iterator[None]:
    """Read other clocks while the block runs; for simulations.

    Args:
        wall_nanoseconds: returns Unix nanoseconds.
        stopwatch: returns seconds, never fewer than before.
    """
    global _wall, _wall_nanoseconds, _stopwatch
    before = _wall, _wall_nanoseconds, _stopwatch
    _wall, _wall_nanoseconds = (lambda: wall_nanoseconds() / 1e9), wall_nanoseconds
    _stopwatch = stopwatch
    try:
        yield
    finally:
        _wall, _wall_nanoseconds, _stopwatch = before
