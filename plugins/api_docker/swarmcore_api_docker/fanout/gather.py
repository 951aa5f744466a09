"""Ask several engines at once, and gather their answers.

An answer or a failure of one engine does not touch those of the others.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from swarmcore.errors import EngineError, EngineRefused
from swarmcore.http.messages import Answer, Headers
from swarmcore.protocols import AnswerStream, Engine
from swarmcore.versions import ApiVersion

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Replies(Generic[T]):
    """What came back.

    Attributes:
        answers: engine and answer, in the order in which the engines were given.
        failures: engine and error, in the same order.
    """

    answers: list[tuple[Engine, T]]
    failures: list[tuple[Engine, EngineError]]


async def ask_all(
    engines: Iterable[Engine], question: Callable[[Engine], Awaitable[T]]
) -> Replies[T]:
    """Ask every engine at the same time and wait for the last one.

    Args:
        engines: the engines to ask.
        question: asks one engine.  It has no deadline here: ``Engine.call`` has its own.

    Returns:
        A ``ValueError`` of *question* counts as a failure: the engine's answer was not JSON.
    """
    asked = list(engines)
    answers: dict[int, T] = {}
    failures: dict[int, EngineError] = {}

    async def ask(index: int) -> None:
        try:
            answers[index] = await question(asked[index])
        except EngineError as error:
            failures[index] = error
        except ValueError as error:
            name = asked[index].node.name
            failures[index] = EngineError(name, f"{name} answered what is no JSON: {error}")

    async with trio.open_nursery() as nursery:
        for index in range(len(asked)):
            nursery.start_soon(ask, index)
    return Replies(
        [(asked[index], answers[index]) for index in sorted(answers)],
        [(asked[index], failures[index]) for index in sorted(failures)],
    )


#: No report of one engine comes near this size.
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
    """Ask and read the whole answer, however long the engine takes.

    For small JSON that takes time, such as a prune or disk usage.  The wait ends when the engine is
    found not to answer any more, or when the client goes away.  Arguments as for ``Engine.call``.

    Raises:
        EngineUnreachable: the engine did not answer.
        EngineError: the answer is larger than 64 MiB.
    """
    async with engine.open(method, path, body=body, headers=headers, version=version) as got:
        return await read_whole(engine, got)


async def read_whole(engine: Engine, got: AnswerStream) -> Answer:
    """Read the answer that *engine* has begun.

    Raises:
        EngineUnreachable: the connection broke.
        EngineError: the answer is larger than 64 MiB.
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
    """The engines' answers, when every engine succeeded.

    Args:
        work: what was asked for, for the error: ``pruning networks``.
        replies: what came back.

    Raises:
        EngineRefused: some engine failed.  The status is the first engine's where all failed, else
            500; the text says what each engine did.
    """
    refusals = [(engine, answer) for engine, answer in replies.answers if not answer.ok]
    failed = [(engine.node.name, answer.status, answer.message) for engine, answer in refusals]
    failed += [(engine.node.name, error.status, str(error)) for engine, error in replies.failures]
    if not failed:
        return [answer for _, answer in replies.answers]
    done = [engine.node.name for engine, answer in replies.answers if answer.ok]
    errors = {name: text for name, _, text in failed}
    text = describe_failures(errors, len(failed) + len(done), work)
    if done:
        text += f"; {', '.join(done)}: done"
    raise EngineRefused(failed[0][0], 500 if done else failed[0][1], text)


def describe_failures(failures: Mapping[str, str], asked: int, work: str) -> str:
    """One text for the failures of one request on several nodes.

    Where every node failed with the same text, it is that text alone.

    Args:
        failures: node name -> error.
        asked: how many nodes were asked.
        work: what they were asked for: ``pull``, ``load``.
    """
    by_text: dict[str, list[str]] = {}
    for node_name, text in failures.items():
        by_text.setdefault(text, []).append(node_name)
    if len(by_text) == 1 and len(failures) == asked:
        return next(iter(by_text))
    details = "; ".join(f"{', '.join(nodes)}: {text}" for text, nodes in by_text.items())
    return f"{work} failed on {len(failures)} of {asked} nodes: {details}"
