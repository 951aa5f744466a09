"""Many texts of which questions are asked again and again: what was found out is remembered.

Made for placement, which is one step that must not take long: a pattern is looked for in the words
of a node's containers once, and again only when those have changed.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import chain

#: Questions whose answers are kept; more are asked by nobody at a time.
_KEPT = 64


class Texts(Collection[str]):
    """Some collections as one, looked at as they are: whoever changes one calls ``forget``.

    Args:
        parts: sets, views of them, or other ``Texts``, which remember for themselves.
    """

    __slots__ = ("_found", "_parts")

    def __init__(self, *parts: Collection[str]) -> None:
        self._parts = parts
        self._found: dict[Callable[[str], bool], bool] = {}

    def __contains__(self, text: object) -> bool:
        return any(text in part for part in self._parts)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._parts)

    def __len__(self) -> int:
        return len(set(self))

    def forget(self) -> None:
        """A part has changed."""
        self._found.clear()

    def any(self, test: Callable[[str], bool]) -> bool:
        """Whether one of the texts passes *test*, which always says the same of a text."""
        found = self._found.get(test)
        if found is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            found = any(any_passes(part, test) for part in self._parts)
            self._found[test] = found
        return found


def any_passes(texts: Collection[str], test: Callable[[str], bool]) -> bool:
    """Whether one of *texts* passes *test*."""
    return texts.any(test) if isinstance(texts, Texts) else any(map(test, texts))
