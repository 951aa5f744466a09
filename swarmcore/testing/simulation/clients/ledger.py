"""What the clients were told about their containers, so that later answers can be compared.  Pure.

Each client has names of its own.  A name whose last change has an unknown outcome is given up, and
the client continues with a new name: a late request may still change what the old one stands for.
"""

from dataclasses import dataclass, field, replace
from enum import Enum


class Known(Enum):
    """What a client knows of a name."""

    ABSENT = "absent"
    PRESENT = "present"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Entry:
    """What a client knows of one name.

    Attributes:
        name: the container's name.
        known: whether the container exists.
        changed_at: when the request was sent whose answer told that.
        swarm_id: the container's swarm id, which copies on other engines have too.
        engines: the engines that had it after that answer, or before its removal.
        may_move: whether its policy lets it be moved.
        runs: whether it was started and not stopped; ``None`` if that is unknown.
    """

    name: str
    known: Known = Known.ABSENT
    changed_at: float = 0.0
    swarm_id: str = ""
    engines: frozenset[str] = frozenset()
    may_move: bool = False
    runs: bool | None = False


@dataclass(slots=True)
class Ledger:
    """The names of one client.

    Attributes:
        entries: every name that was ever used.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    _current: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    def entry(self, slot: str) -> Entry:
        """The entry of the name that *slot*, a name in the plan, stands for now."""
        name = self._current.setdefault(slot, slot)
        return self.entries.setdefault(name, Entry(name))

    def give_up(self, slot: str) -> None:
        """Use a new name for *slot*: what its name stands for is unknown."""
        self.entry(slot).known = Known.UNKNOWN
        self._count += 1
        self._current[slot] = f"{slot}-{self._count}"

    def rename(self, slot: str, other: str) -> None:
        """Let the container of *slot* have the name of *other*, which has none."""
        old, new = self.entry(slot), self.entry(other)
        self.entries[new.name] = replace(old, name=new.name)
        self.entries[old.name] = replace(old, known=Known.ABSENT, swarm_id="", runs=False)
