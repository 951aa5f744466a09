"""Who waits for room, and whose turn it is.  Pure: decides on order, and waits for nothing.

The highest priority comes first, then who came first.  Who finds no room lets those behind that do
go first, so that a big one does not stop the small ones; but eight times at most.  From then on it
is *owed*: nodes that are only full for it are kept for it, and those behind find room elsewhere or
wait longer.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

#: How often one may be overtaken before nodes are kept for it.
_PATIENCE = 8


@dataclass(slots=True, eq=False)
class Place:
    """One place in the line.

    Attributes:
        priority: the higher goes first.
        number: of its arrival; given by the line.
        overtaken: how many that came later, or wanted it less, were served before.
    """

    priority: int = 0
    number: int = 0
    overtaken: int = 0

    @property
    def is_owed(self) -> bool:
        """Whether nobody may overtake it any more."""
        return self.overtaken >= _PATIENCE

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts who is served first to the front."""
        return -self.priority, self.number


P = TypeVar("P", bound=Place)


class Line(Generic[P]):
    """All who wait.

    Args:
        limit: how many may.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places: list[P] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[P]:
        """In the order in which they are served; of this moment, whoever joins or leaves."""
        return iter(tuple(self._places))

    @property
    def is_full(self) -> bool:
        """Whether nobody may join."""
        return len(self._places) >= self._limit

    def join(self, place: P) -> None:
        """Give *place* its place."""
        self._arrivals += 1
        place.number = self._arrivals
        insort(self._places, place, key=lambda each: each.rank)

    def leave(self, place: P) -> None:
        """*place* waits no more; nothing happens when it did not."""
        if place in self._places:
            self._places.remove(place)

    def serve(self, place: P) -> None:
        """*place* has what it waited for: those before it were overtaken."""
        for each in self._places[: self._places.index(place)]:
            each.overtaken += 1
        self._places.remove(place)
