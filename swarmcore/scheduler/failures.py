"""How often creates failed on a node lately, for reasons that were the node's."""

from collections.abc import Callable

#: A failure counts half after so long: an engine that was mended is tried again within the hour.
_HALF_LIFE_SECONDS = 300.0
#: Less than this is forgotten.
_NOTHING = 0.01


class FailureHistory:
    """Remembers failures, and forgets them little by little.

    Args:
        clock: seconds; only differences count.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: Node id -> the number of failures, and when that was right.
        self._noted: dict[str, tuple[float, float]] = {}

    def note(self, node_id: str) -> None:
        """A create failed there."""
        self._noted = {id: noted for id, noted in self._noted.items() if self.recent(id)}
        self._noted[node_id] = (self.recent(node_id) + 1.0, self._clock())

    def recent(self, node_id: str) -> float:
        """The number of failures, each of them halved every five minutes."""
        count, since = self._noted.get(node_id, (0.0, 0.0))
        left: float = count * 0.5 ** ((self._clock() - since) / _HALF_LIFE_SECONDS)
        return left if left >= _NOTHING else 0.0
