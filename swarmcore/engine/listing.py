"""One list of an engine's, its networks say: as it was read, and as answers have changed it since.

An engine's answer to a removal tells as much as its list would, at once.  What it told is applied
again to a list that was asked for before and comes after.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from swarmcore.engine.fresh_read import FreshRead

#: Key -> the engine's object.
Objects = Mapping[str, Mapping[str, Any]]


class Listing:
    """Keeps one list current.

    Args:
        ask: the engine's list; raises ``EngineError``.
        show: is given every new state of the list, whole.

    Attributes:
        read: reads the list; see ``FreshRead``.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Objects]], show: Callable[[Objects], None]
    ) -> None:
        self._ask = ask
        self._show = show
        self._objects: Objects = {}
        #: What answers told while a list is being read; ``None`` stands for what is gone.
        self._told: dict[str, Mapping[str, Any] | None] = {}
        self.read = FreshRead(self._read)

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """The engine has just made *document*."""
        self._tell(key, document)

    def drop(self, key: str) -> None:
        """The engine has just removed it."""
        self._tell(key, None)

    def _tell(self, key: str, document: Mapping[str, Any] | None) -> None:
        if not self.read.is_idle:
            self._told[key] = document
        self._set(_with(self._objects, {key: document}))

    async def _read(self) -> None:
        self._told = {}
        objects = await self._ask()
        self._set(_with(objects, self._told))

    def _set(self, objects: Objects) -> None:
        self._objects = objects
        self._show(objects)


def _with(objects: Objects, told: Mapping[str, Mapping[str, Any] | None]) -> Objects:
    """*objects* and what was told of them."""
    if not told:
        return objects
    merged: dict[str, Mapping[str, Any] | None] = {**objects, **told}
    return {key: document for key, document in merged.items() if document is not None}
