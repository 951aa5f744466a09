"""Which parts are disturbed by faults, and since when; asked when an operation has failed."""

import threading
from collections.abc import Iterable

from tests.chaos.plan import ENGINES, MANAGERS, STORE, Fault

#: A part may notice a fault late, or suffer from it shortly after it has recovered.
_GRACE_SECONDS = 3.0
_FOREVER = float("inf")


class Weather:
    """The times in which parts were disturbed: from a fault's begin to the part's recovery."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: list[list[object]] = []
        #: Parts whose fault was undone, and that have not recovered.
        self._recovering: dict[str, float] = {}

    def begin(self, fault: Fault, now: float) -> None:
        """Note that *fault* begins."""
        with self._lock:
            for part in disturbed_parts(fault):
                self._recovering.pop(part, None)
                self._times.append([part, now, _FOREVER])

    def disturb(self, part: str, now: float) -> None:
        """Note that a part is disturbed from now on, until ``recovered``."""
        with self._lock:
            self._times.append([part, now, _FOREVER])

    def end(self, fault: Fault, now: float) -> None:
        """Note that *fault* was undone; its parts count as disturbed until they recover."""
        with self._lock:
            for part in disturbed_parts(fault):
                self._recovering[part] = now

    def recovering(self) -> dict[str, float]:
        """Return the parts that have to recover, with the time when their fault was undone."""
        with self._lock:
            return dict(self._recovering)

    def recovered(self, part: str, now: float) -> None:
        """Note that a part serves again."""
        with self._lock:
            self._recovering.pop(part, None)
            for time in self._times:
                if time[0] == part and time[2] == _FOREVER:
                    time[2] = now

    def disturbed(self, since: float, until: float) -> set[str]:
        """Return the parts that were disturbed at some time between *since* and *until*."""
        with self._lock:
            return {
                str(part)
                for part, began, ended in self._times
                if began <= until and ended >= since - _GRACE_SECONDS  # type: ignore[operator]
            }


def disturbed_parts(fault: Fault) -> tuple[str, ...]:
    """The parts that do not work as seen by others: of a cut connection, the one that needs it.

    Between a manager and an engine that is the engine; between managers, and between a manager and
    the store, it is that manager.
    """
    if fault.kind != "block":
        return fault.target
    manager, other = fault.target
    return (other,) if other in ENGINES else (manager,)


def drained_part(engine: str) -> str:
    """The part that is disturbed while an operator drains an engine: containers are moved."""
    return f"drained {engine}"


def is_drain(part: str) -> bool:
    """Whether *part* is that of a drained engine."""
    return part.startswith(drained_part(""))


def kinds_of(parts: Iterable[str]) -> int:
    """Of a client's manager, its engine and the store: how many were disturbed.

    Two disturbed managers count as two, because a client has no third one to ask.
    """
    parts = set(parts)
    engines = bool(parts & set(ENGINES))
    return len(parts & set(MANAGERS)) + (STORE in parts) + engines
