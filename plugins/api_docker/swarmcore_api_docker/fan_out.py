"""One question to many engines at once; each answer, or failure, stands for itself."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from swarmcore.errors import EngineError
from swarmcore.protocols import Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Replies(Generic[T]):
    """What came back, both in the order of the engines asked."""

    answers: list[tuple[Engine, T]]
    failures: list[tuple[Engine, EngineError]]


async def ask_all(
    engines: Iterable[Engine], question: Callable[[Engine], Awaitable[T]]
) -> Replies[T]:
    """Ask every engine at the same time and wait for the last.

    Args:
        engines: whom.
        question: asks one; bounded by the engine's own deadline.
    """
    asked = list(engines)
    answers: dict[int, T] = {}
    failures: dict[int, EngineError] = {}

    async def ask(place: int) -> None:
        try:
            answers[place] = await question(asked[place])
        except EngineError as error:
            failures[place] = error
        except ValueError as error:
            name = asked[place].node.name
            failures[place] = EngineError(name, f"{name} answered what is no JSON: {error}")

    async with trio.open_nursery() as nursery:
        for place in range(len(asked)):
            nursery.start_soon(ask, place)
    return Replies(
        [(asked[place], answers[place]) for place in sorted(answers)],
        [(asked[place], failures[place]) for place in sorted(failures)],
    )
