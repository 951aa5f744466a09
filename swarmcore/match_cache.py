"""Collections of texts that cache the results of tests.

Used by placement, which must be fast: a pattern is matched against the words of a node's containers
once, and again only after those have changed.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import chain

#: Maximum number of cached results per collection.
_KEPT = 64


class Texts(Collection[str]):
    """A view of several collections as one; call ``forget`` after a change of one of them.

    Args:
        parts: sets, views of them, or other ``Texts``, which have their own caches.
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
        """Clear the cache: a part has changed."""
        self._found.clear()

    def any(self, test: Callable[[str], bool]) -> bool:
        """Whether one of the texts passes *test*, which must be a pure function."""
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
