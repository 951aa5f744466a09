"""Remember which engine builds for a client, a BuildKit session or a build.

A BuildKit client uses several connections for one build, and nothing in its requests says which
connections belong together.  So all connections of one client go to one engine.  Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

#: How long an engine is remembered after its last use, as in Swarm classic.
KEPT_SECONDS: Final = 3600.0
#: At most this many idle bindings are kept, because a client can use any number of new ids.
_IDLE_LIMIT: Final = 10_000


class AffinityKey(NamedTuple):
    """The client, session or build that is bound to an engine.

    Attributes:
        kind: ``client``, ``session`` or ``build``.
        name: the client's certificate or address, or the id of the session or build.
    """

    kind: Literal["client", "session", "build"]
    name: str


@dataclass(slots=True)
class _Binding:
    node_id: str
    uses: int = 0
    last_used: float = 0.0


class BuilderAffinity:
    """Binds keys to nodes.  All times are seconds of a monotonic clock.

    Args:
        kept_seconds: how long a binding is kept after its last use.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        self._kept_seconds = kept_seconds
        self._used: dict[AffinityKey, _Binding] = {}
        #: Ordered by last use, the oldest first.
        self._idle: dict[AffinityKey, _Binding] = {}

    def __len__(self) -> int:
        return len(self._used) + len(self._idle)

    def find(self, key: AffinityKey, now: float) -> str | None:
        """Return the id of the node that *key* is bound to, or ``None``."""
        self._expire(now)
        binding = self._used.get(key) or self._idle.get(key)
        return binding.node_id or None if binding else None

    def is_used(self, key: AffinityKey) -> bool:
        """Whether a request of *key* is in progress."""
        return key in self._used

    def begin(self, keys: Iterable[AffinityKey], node_id: str) -> None:
        """Bind *keys* to *node_id* when a request that uses them begins."""
        for key in keys:
            binding = self._used.get(key) or self._idle.pop(key, None) or _Binding(node_id)
            binding.node_id = node_id
            binding.uses += 1
            self._used[key] = binding

    def end(self, keys: Iterable[AffinityKey], now: float) -> None:
        """End a request that ``begin`` began with the same *keys*."""
        for key in keys:
            binding = self._used[key]
            binding.uses -= 1
            if not binding.uses:
                binding.last_used = now
                self._idle[key] = self._used.pop(key)
        self._expire(now)

    def forget(self, keys: Iterable[AffinityKey]) -> None:
        """Unbind *keys* during a request, because the connection to their engine was lost."""
        for key in keys:
            self._used[key].node_id = ""

    def load(self, node_id: str) -> int:
        """Return how busy a node is: its idle clients, plus its clients and builds in progress."""
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
