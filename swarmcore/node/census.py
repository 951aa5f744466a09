"""What the containers of one node are called and labelled, counted as they come and go.

Made for affinity: a question about all containers of a node costs one look-up, not a walk.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Census:
    """Words and label values of a set of containers."""

    _words: Counter[str] = field(default_factory=Counter)
    _values: dict[str, Counter[str]] = field(default_factory=dict)
    _members: int = 0

    def add(self, words: Iterable[str], labels: Mapping[str, str]) -> None:
        """One more container.

        Args:
            words: what it answers to, without duplicates.
            labels: its labels.
        """
        self._members += 1
        self._words.update(words)
        for key, value in labels.items():
            self._values.setdefault(key, Counter())[value] += 1

    def remove(self, words: Iterable[str], labels: Mapping[str, str]) -> None:
        """Undo one ``add`` of the same arguments."""
        self._members -= 1
        for word in words:
            _decrement(self._words, word)
        for key, value in labels.items():
            values = self._values[key]
            _decrement(values, value)
            if not values:
                del self._values[key]

    @property
    def words(self) -> Collection[str]:
        """What its members answer to."""
        return self._words.keys()

    def label_values(self, key: str) -> Collection[str]:
        """The values of one label, with the empty text when a member lacks it."""
        values = self._values.get(key)
        if values is None:
            return ("",) if self._members else ()
        if values.total() < self._members and "" not in values:
            return {*values, ""}
        return values.keys()


def _decrement(counter: Counter[str], item: str) -> None:
    counter[item] -= 1
    if not counter[item]:
        del counter[item]
