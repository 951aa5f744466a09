"""Scripted misbehaviour: an embedded engine that fails, hangs, lies, is slow or drops connections.

A pattern is ``POST /containers/*/start`` or, for any method, ``/containers/*``: the path without
version prefix and query, with shell wildcards.  The newest fault that matches counts.
"""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import trio


class Kind(Enum):
    """What a fault does."""

    FAIL = "answer an error"
    HANG = "answer nothing"
    DROP = "close the connection without an answer"
    LOSE = "do it, and close the connection without an answer"
    DELAY = "answer late"
    LIE = "answer something else"


@dataclass(slots=True, eq=False)
class Fault:
    """One scripted misbehaviour.

    Attributes:
        kind: what it does.
        pattern: which requests it hits.
        times: how many it hits; ``None`` for all.
        status, message: of an error.
        seconds: of a delay.
        transform: the true answer's JSON -> the false one's.
        hits: how many it has hit.
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
        """Whether a request is hit."""
        if self._released.is_set() or (self.times is not None and self.hits >= self.times):
            return False
        return request_matches(self.pattern, method, path)

    def release(self) -> None:
        """End it: later requests are served, and what hangs goes on."""
        self._released.set()

    async def wait_released(self) -> None:
        """Return when it has been ended."""
        await self._released.wait()


class Faults:
    """The faults of one engine."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Have one more; it comes before those that are there."""
        self._faults.insert(0, fault)
        return fault

    def clear(self) -> None:
        """End all."""
        for fault in self._faults:
            fault.release()
        self._faults.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits a request, counted."""
        for fault in self._faults:
            if fault.matches(method, path):
                fault.hits += 1
                return fault
        return None


def request_matches(pattern: str, method: str, path: str) -> bool:
    """Whether a pattern covers a request."""
    wanted, space, glob = pattern.partition(" ")
    if not space:
        wanted, glob = "*", pattern
    return wanted in ("*", method) and fnmatch.fnmatchcase(path, glob)
