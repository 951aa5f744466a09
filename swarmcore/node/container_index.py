"""An index of the names, ids and labels of one node's containers, updated as they change.

Affinities use it to test all containers of a node in one look-up.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from swarmcore.match_cache import Texts


class _Counted:
    """A multiset of texts."""

    __slots__ = ("counts", "texts")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.texts = Texts(self.counts.keys())

    def add(self, text: str) -> None:
        self.counts[text] += 1
        if self.counts[text] == 1:
            self.texts.forget()

    def remove(self, text: str) -> None:
        self.counts[text] -= 1
        if not self.counts[text]:
            del self.counts[text]
            self.texts.forget()


@dataclass(slots=True)
class ContainerIndex:
    """The words and label values of a set of containers."""

    _words: _Counted = field(default_factory=_Counted)
    _values: dict[str, _Counted] = field(default_factory=dict)
    _members: int = 0

    def add(self, words: Iterable[str], labels: Mapping[str, str]) -> None:
        """Add a container.

        Args:
            words: the texts that refer to the container, without duplicates.
            labels: its labels.
        """
        self._members += 1
        for word in words:
            self._words.add(word)
        for key, value in labels.items():
            if key not in self._values:
                self._values[key] = _Counted()
            self._values[key].add(value)

    def remove(self, words: Iterable[str], labels: Mapping[str, str]) -> None:
        """Undo one ``add`` with the same arguments."""
        self._members -= 1
        for word in words:
            self._words.remove(word)
        for key, value in labels.items():
            values = self._values[key]
            values.remove(value)
            if not values.counts:
                del self._values[key]

    @property
    def words(self) -> Collection[str]:
        """The texts that refer to any of the containers."""
        return self._words.texts

    def label_values(self, key: str) -> Collection[str]:
        """The values of one label; includes the empty text if a container lacks the label."""
        values = self._values.get(key)
        if values is None:
            return ("",) if self._members else ()
        if values.counts.total() < self._members and "" not in values.counts:
            return Texts(values.texts, ("",))
        return values.texts
