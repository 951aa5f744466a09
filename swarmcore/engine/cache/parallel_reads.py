"""Reads several objects of one engine at a time."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

import trio

from swarmcore.errors import EngineError

#: Concurrent reads per engine: enough to hide latency without flooding the engine.
_PARALLEL = 4

_T = TypeVar("_T")


async def read_each(items: Collection[_T], read: Callable[[_T], Awaitable[Any]]) -> None:
    """Read several objects, some at a time.

    Args:
        items: what names the objects, such as their ids.
        read: reads the objects of one item.

    Raises:
        EngineError: the first failure; after it, no further object is read.
    """
    failures: list[EngineError] = []
    waiting = iter(items)

    async def read_next() -> None:
        for item in waiting:
            try:
                await read(item)
            except EngineError as error:
                failures.append(error)
            if failures:
                return

    async with trio.open_nursery() as nursery:
        for _ in range(min(_PARALLEL, len(items))):
            nursery.start_soon(read_next)
    if failures:
        raise failures[0]
