"""The history of a run: who asked what of whom, with what result, and the faults between."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_NEIGHBOURS = 60


@dataclass(frozen=True, slots=True)
class Record:
    """One entry: a request with its result, a fault, or a note.

    Attributes:
        at: when it ended, in seconds after the start.
        took: how long it took in seconds.
        who: the client, or the kind of the entry.
        what: the request or the fault.
        about: names that it concerns; no names concern everybody.
        result: the result, in one line.
    """

    at: float
    took: float
    who: str
    what: str
    about: tuple[str, ...] = ()
    result: str = ""

    def __str__(self) -> str:
        took = f" ({self.took:.2f} s)" if self.took else ""
        return f"{self.at:8.2f} {self.who:>8} {self.what} {self.result}{took}"


class History:
    """Collects records from all threads, counts them, and keeps the violations."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self.violations: list[str] = []
        #: Numbers of faults, operations, first errors, retries and so on, by name.
        self.counts: Counter[str] = Counter()

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._began

    def add(self, who: str, what: str, *about: str, result: str = "", since: float = 0.0) -> None:
        """Add a record that ends now."""
        now = self.now()
        record = Record(now, now - since if since else 0.0, who, what, about, result)
        with self._lock:
            self._records.append(record)

    def count(self, *names: str) -> None:
        """Add one to each of the named numbers."""
        with self._lock:
            self.counts.update(names)

    def violate(self, what: str, *about: str) -> None:
        """Note that an invariant does not hold, with the history of the names in *about*."""
        now = self.now()
        with self._lock:
            chosen = [each for each in self._records if not each.about or {*each.about} & {*about}]
            lines = [str(each) for each in chosen[-_NEIGHBOURS:]]
            self.violations.append("\n".join([f"{now:8.2f} VIOLATION {what}", *lines]))

    def lines(self) -> Iterable[str]:
        """Return the whole history."""
        with self._lock:
            return [str(each) for each in self._records]
