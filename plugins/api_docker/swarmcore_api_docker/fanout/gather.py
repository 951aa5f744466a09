"""Send a question to several engines at once, and collect their answers.

The failure of one engine does not affect the answers of the others.
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
    """The answers and failures of the engines that were asked.

    Attributes:
        answers: engine and answer, in the order in which the engines were given.
        failures: engine and error, in the same order.
    """

    answers: list[tuple[Engine, T]]
    failures: list[tuple[Engine, EngineError]]


async def ask_all(
    engines: Iterable[Engine], question: Callable[[Engine], Awaitable[T]]
) -> Replies[T]:
    """Ask every engine at the same time, and wait for the last answer.

    Args:
        engines: the engines to ask.
        question: asks one engine.  It gets no time limit here, because ``Engine.call`` has its own.

    Returns:
        The answers and failures.
    """
    asked = list(engines)
    answers: dict[int, T] = {}
    failures: dict[int, EngineError] = {}

    async def ask(index: int) -> None:
        try:
            answers[index] = await question(asked[index])
        except EngineError as error:
            failures[index] = error

    async with trio.open_nursery() as nursery:
        for index in range(len(asked)):
            nursery.start_soon(ask, index)
    return Replies(
        [(asked[index], answers[index]) for index in sorted(answers)],
        [(asked[index], failures[index]) for index in sorted(failures)],
    )


#: The limit for one engine's report; real reports are much smaller.
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
    """Send a request and read the whole answer, without a time limit.

    For small JSON answers that may take long, such as a prune or the disk usage.  The call ends
    when health checks find that the engine no longer answers, or when the client closes its
    connection.  The arguments are those of ``Engine.call``.

    Raises:
        EngineUnreachable: the engine did not answer.
        EngineError: the answer is larger than 64 MiB.
    """
    async with engine.open(method, path, body=body, headers=headers, version=version) as got:
        return await read_whole(engine, got)


async def read_whole(engine: Engine, got: AnswerStream) -> Answer:
    """Read the rest of the answer that *engine* has begun to send.

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
    """Return the engines' answers if every engine succeeded.

    Args:
        work: the work that was asked for, for the text of the error: ``pruning networks``.
        replies: the answers and failures.

    Raises:
        EngineRefused: some engine failed.  The status is that of the first engine if all failed,
            otherwise 500.  The text has the result of each engine.
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
    """Describe the failures of one request on several nodes in one text.

    If every node failed with the same text, the result is that text alone.

    Args:
        failures: node name -> error.
        asked: the number of nodes that were asked.
        work: the work that they were asked for: ``pull``, ``load``.
    """
    by_text: dict[str, list[str]] = {}
    for node_name, text in failures.items():
        by_text.setdefault(text, []).append(node_name)
    if len(by_text) == 1 and len(failures) == asked:
        return next(iter(by_text))
    details = "; ".join(f"{', '.join(nodes)}: {text}" for text, nodes in by_text.items())
    return f"{work} failed on {len(failures)} of {asked} nodes: {details}"
