"""Which engine builds for whom: a client's engine, a session's, a build's.

BuildKit's clients use several connections for one build, and nothing in them says that they belong
together; all of one client's go to one engine.  Does not choose it, and does not look at a clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple


#: How long an engine is remembered after its last use, as classic did.
KEPT_SECONDS: Final = 3600.0
#: Idle bindings beyond this are forgotten, oldest first: clients invent ids for nothing.
_IDLE_LIMIT: Final = 10_000


class Key(NamedTuple):
    """Who is bound.

    Attributes:
        kind: ``client`` (its certificate or address), ``session`` or ``build`` (their ids).
        name: which.
    """

    kind: Literal["client", "session", "build"]
    name: str


@dataclass(slots=True)
class _Binding:
    node_id: str
    uses: int = 0
    last_used: float = 0.0


class BuilderAffinity:
    """Remembers; every time is given, in seconds of a clock that never goes back.

    Args:
        kept_seconds: how long a binding outlives its last use.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._used: dict[Key, _Binding] = {}
        #: In the order of their last use.
        self._idle: dict[Key, _Binding] = {}

    def __len__(self) -> int:
        return len(self._used) + len(self._idle)

    def find(self, key: Key, now: float) -> str | None:
        """The node that *key* is bound to, or ``None``."""
        self._expire(now)
        binding = self._used.get(key) or self._idle.get(key)
        return binding.node_id or None if binding else None

    def is_used(self, key: Key) -> bool:
        """Whether a request of *key* is under way."""
        return key in self._used

    def begin(self, keys: Iterable[Key], node_id: str) -> None:
        """A request of *keys* begins on *node_id*: they are bound to it from now on."""
        for key in keys:
            binding = self._used.get(key) or self._idle.pop(key, None) or _Binding(node_id)
            binding.node_id = node_id
            binding.uses += 1
            self._used[key] = binding

    def end(self, keys: Iterable[Key], now: float) -> None:
        """A request that ``begin`` was called for is over."""
        for key in keys:
            binding = self._used[key]
            binding.uses -= 1
            if not binding.uses:
                binding.last_used = now
                self._idle[key] = self._used.pop(key)
        self._expire(now)

    def forget(self, keys: Iterable[Key]) -> None:
        """The engine of *keys*, which are in use, is lost: they are bound to none."""
        for key in keys:
            self._used[key].node_id = ""

    def load(self, node_id: str) -> int:
        """How busy a node is with builds: clients bound to it, and builds under way."""
        idle = sum(key.kind == "client" and on.node_id == node_id for key, on in self._idle.items())
        used = sum(
            key.kind != "session" and on.node_id == node_id for key, on in self._used.items()
        )
        return idle + used

    def _expire(self, now: float) -> None:
        while self._idle:
            key, oldest = next(iter(self._idle.items()))
            fresh = now - oldest.last_used < self._kept_seconds
            if fresh and len(self._idle) <= _IDLE_LIMIT:
                break
            del self._idle[key]
