"""Reads several objects of one engine at a time."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import trio

from swarmcore.errors import EngineError

#: Concurrent reads per engine: enough to hide latency without flooding the engine.
_PARALLEL = 8


async def read_each(ids: Collection[str], read: Callable[[str], Awaitable[Any]]) -> None:
    """Read several objects, some at a time.

    Args:
        ids: the ids of the objects.
        read: reads one object.

    Raises:
        EngineError: the first failure; after it, no further object is read.
    """
    failures: list[EngineError] = []
    waiting = iter(ids)

    async def read_next() -> None:
        for id in waiting:
            try:
                await read(id)
            except EngineError as error:
                failures.append(error)
            if failures:
                return

    async with trio.open_nursery() as nursery:
        for _ in range(min(_PARALLEL, len(ids))):
            nursery.start_soon(read_next)
    if failures:
        raise failures[0]
