"""One request to several engines at once, and what became of it on each."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from swarmcore.errors import EngineError, EngineRefused
from swarmcore.messages import Answer, Headers
from swarmcore.protocols import AnswerStream, Engine
from swarmcore.versions import ApiVersion

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


#: No report of one engine is near this.
_LARGEST_BYTES = 64 << 20


async def ask_patiently(
    engine: Engine,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Headers = (),
    version: ApiVersion | None = None,
) -> Answer:
    """Ask and read the whole answer, however long it takes; arguments as for ``Engine.call``.

    Raises:
        EngineUnreachable: no answer.
        EngineError: it is too large.
    """
    async with engine.open(method, path, body=body, headers=headers, version=version) as got:
        return await read_whole(engine, got)


async def read_whole(engine: Engine, got: AnswerStream) -> Answer:
    """The answer that *engine* has begun.

    Raises:
        EngineUnreachable: the connection broke.
        EngineError: it is too large.
    """
    pieces, left = [], _LARGEST_BYTES
    async for piece in got:
        left -= len(piece)
        if left < 0:
            name = engine.node.name
            raise EngineError(name, f"{name} answered more than {_LARGEST_BYTES} bytes")
        pieces.append(piece)
    return Answer(got.status, got.headers, b"".join(pieces))


def require_success(work: str, replies: Replies[Answer]) -> list[Answer]:
    """The engines' answers, when every engine did its part.

    Args:
        work: names it in the error: ``pruning networks``.
        replies: what came back.

    Raises:
        EngineRefused: with the first engine's status where all failed, else 500; the text tells
            what each engine did.
    """
    refusals = [(engine, answer) for engine, answer in replies.answers if not answer.ok]
    failed = [(engine.node.name, answer.status, answer.message) for engine, answer in refusals]
    failed += [(engine.node.name, error.status, str(error)) for engine, error in replies.failures]
    if not failed:
        return [answer for _, answer in replies.answers]
    done = [engine.node.name for engine, answer in replies.answers if answer.ok]
    told = word_failures({name: text for name, _, text in failed}, len(failed) + len(done), work)
    if done:
        told += f"; {', '.join(done)}: done"
    raise EngineRefused(failed[0][0], 500 if done else failed[0][1], told)


def word_failures(failures: Mapping[str, str], asked: int, work: str) -> str:
    """One text for the failures of one request on several nodes; theirs alone where all say it.

    Args:
        failures: node name -> what it said.
        asked: how many nodes were to do it.
        work: what: ``pull``, ``load``.
    """
    by_text: dict[str, list[str]] = {}
    for node_name, text in failures.items():
        by_text.setdefault(text, []).append(node_name)
    if len(by_text) == 1 and len(failures) == asked:
        return next(iter(by_text))
    told = "; ".join(f"{', '.join(nodes)}: {text}" for text, nodes in by_text.items())
    return f"{work} failed on {len(failures)} of {asked} nodes: {told}"
