"""What clients know about their containers: acknowledged, gone, or unknown."""

import enum
import threading
from dataclasses import dataclass, field


class Knowledge(enum.Enum):
    """What the answers so far say about a container."""

    PRESENT = "present"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Entry:
    """One container of a client.  Only its client changes it.

    Attributes:
        token: the value of its label, unique in the run, also when the container is moved.
        name: its latest name.
        policy: whether it may be moved, and is restarted by its engine.
        ends: whether its program ends at once.
        former: names that it had before.
        state: whether it exists.
        started: whether a start was acknowledged.
        node: the engine that had it when that was last asked.
        repeated: whether its create was sent twice, as the outcome of the first was unknown.
        created_at: when its create was acknowledged by the first answer, in seconds after the start
            of the run; 0 if it was not.
    """

    token: str
    name: str
    policy: bool
    ends: bool = False
    former: list[str] = field(default_factory=list)
    state: Knowledge = Knowledge.UNKNOWN
    started: bool = False
    node: str = ""
    repeated: bool = False
    created_at: float = 0.0


class Ledger:
    """The containers of all clients, and the holders of the names for which they compete."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._holders: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Add a container before its create is sent."""
        with self._lock:
            self._entries[entry.token] = entry

    def entries(self) -> list[Entry]:
        """Return all containers."""
        with self._lock:
            return list(self._entries.values())

    def hold(self, entry: Entry) -> str | None:
        """Note an acknowledged create; return the token of another holder of the name, if any."""
        with self._lock:
            other = self._holders.get(entry.name)
            self._holders[entry.name] = entry.token
            return other

    def release(self, name: str) -> None:
        """Note that a name may be free, before a remove or a rename is sent."""
        with self._lock:
            self._holders.pop(name, None)
