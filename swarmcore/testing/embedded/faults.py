"""Scripted faults: an embedded engine that fails, hangs, lies, is slow or drops connections.

A pattern is ``POST /containers/*/start`` or, for any method, ``/containers/*``: the path without
version prefix and query, with shell wildcards.  If several faults match, the newest one applies.
"""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import trio


class Kind(Enum):
    """The kinds of faults."""

    FAIL = "answer an error"
    HANG = "answer nothing"
    DROP = "close the connection without an answer"
    LOSE = "do it, and close the connection without an answer"
    DELAY = "answer late"
    LIE = "answer something else"


@dataclass(slots=True, eq=False)
class Fault:
    """One scripted fault.

    Attributes:
        kind: the effect of the fault.
        pattern: the requests that it applies to.
        times: the number of requests that it applies to; ``None`` for all.
        status, message: the error.
        seconds: the delay.
        transform: changes the answer's JSON.
        hits: the number of requests that it has applied to.
    """

    kind: Kind
    pattern: str
    times: int | None = None
    status: int = 500
    message: str = ""
    seconds: float = 0.0
    transform: Callable[[Any], Any] = lambda value: value
    hits: int = 0
    _released: trio.Event = field(default_factory=trio.Event)

    def matches(self, method: str, path: str) -> bool:
        """Return whether the fault applies to a request."""
        if self._released.is_set() or (self.times is not None and self.hits >= self.times):
            return False
        return request_matches(self.pattern, method, path)

    def release(self) -> None:
        """End the fault: requests that hang continue, and later ones are not affected."""
        self._released.set()

    async def wait_released(self) -> None:
        """Wait until the fault is released."""
        await self._released.wait()


class Faults:
    """The faults of one engine."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Add a fault; it takes precedence over earlier ones."""
        self._faults.insert(0, fault)
        return fault

    def clear(self) -> None:
        """End all faults."""
        for fault in self._faults:
            fault.release()
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that applies to a request, and count it."""
        for fault in self._faults:
            if fault.matches(method, path):
                fault.hits += 1
                return fault
        return None


def request_matches(pattern: str, method: str, path: str) -> bool:
    """Return whether a request matches a pattern."""
    wanted, space, glob = pattern.partition(" ")
    if not space:
        wanted, glob = "*", pattern
    return wanted in ("*", method) and fnmatch.fnmatchcase(path, glob)
