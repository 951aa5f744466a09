"""Shared reads of an engine, and the lists that are kept current by them.

A caller that has just changed something cannot use a read that began before the change.  Callers
that arrive during a read therefore wait for the next one, which serves all of them.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import trio

from swarmcore.engine.cache.answers import Objects
from swarmcore.errors import EngineError


class SingleFlight:
    """Lets concurrent callers share a read.

    Args:
        read: asks the engine and stores the answer; raises ``EngineError``.
    """

    def __init__(self, read: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._turn = trio.Lock()
        self._begun = 0
        self._ended = 0
        self._failure: EngineError | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no read is under way or requested."""
        return not self._turn.locked()

    async def __call__(self) -> None:
        """Return when a read that began after this call has ended.

        Raises:
            EngineError: the read failed; raised for every caller that it served.
        """
        wanted = self._begun + 1
        async with self._turn:
            try:
                if self._ended < wanted:
                    await self._read_now()
                if self._failure is not None:
                    raise self._failure
            finally:
                if not self._turn.statistics().tasks_waiting:
                    # Its traceback keeps everything alive that the callers hold.
                    self._failure = None

    async def _read_now(self) -> None:
        self._begun += 1
        number, self._failure = self._begun, None
        try:
            await self._read()
        except EngineError as error:
            self._failure = error
        # Not reached if the reading caller was cancelled: the next caller then reads.
        self._ended = number


# ---- whole lists


class CachedList:
    """Keeps one list current.

    Args:
        ask: reads the list; raises ``EngineError``.
        show: called with every new state of the whole list; not if *ask* returned the object that
            was shown last.

    Attributes:
        read: reads the list; see ``SingleFlight``.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[Objects]], show: Callable[[Objects], None]
    ) -> None:
        self._ask = ask
        self._show = show
        self._objects: Objects = {}
        #: Changes known from answers while the list is being read; ``None`` means removed.
        self._told: dict[str, Mapping[str, Any] | None] = {}
        self.read = SingleFlight(self._read)

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def lacks(self, made: Collection[str], gone: Collection[str] = frozenset()) -> bool:
        """Whether news is missing: something that was made, or the removal of something."""
        return any(key not in self for key in made) or any(key in self for key in gone)

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Add *document*: the engine has just created it."""
        self._tell(key, document)

    def drop(self, key: str) -> None:
        """Remove an object: the engine has just removed it."""
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
        if objects is not self._objects:
            self._objects = objects
            self._show(objects)


def _with(objects: Objects, told: Mapping[str, Mapping[str, Any] | None]) -> Objects:
    """*objects* with the changes *told*."""
    if not told:
        return objects
    merged: dict[str, Mapping[str, Any] | None] = {**objects, **told}
    return {key: document for key, document in merged.items() if document is not None}
