"""One client's request under way on several engines, their progress one stream.

The first progress of any engine opens the answer; when all fail before that, the answer is the
engine's own error.  A client that goes away ends the work everywhere.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import trio

from swarmcore.errors import EngineError, EngineRefused
from swarmcore.messages import Answer, Headers, dump_json, error_answer
from swarmcore.protocols import AnswerStream, Engine, Exchange
from swarmcore_api_docker.compat.progress_lines import Lines, error_line, error_text, mark
from swarmcore_api_docker.fanout.gather import word_failures

_JSON: Headers = ((b"Content-Type", b"application/json"),)
#: Progress lines that wait for the client before the engines are held back.
_WAITING_LINES = 64
#: Passes one line of progress on.
Report = Callable[[dict[str, Any]], Awaitable[None]]
#: Whether a line of progress is what came of the work.
IsResult = Callable[[Mapping[str, Any]], bool]
#: Does the work on one engine; raises ``EngineError`` when it fails.
Perform = Callable[[Engine, Report], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Progress:
    engine: Engine
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    engine: Engine
    error: EngineError


_Reports = trio.MemorySendChannel[_Progress | _Failure]
_Reported = trio.MemoryReceiveChannel[_Progress | _Failure]


class JointWork:
    """One request on some engines.

    Args:
        exchange: the client's; answered by ``run``.
        engines: whose work it is.
        work: names it in errors: ``pull``.
        perform: the part of one engine.
        feed: runs beside all of them; a failure of it ends everything.
        is_result: knows the lines that are told once, at the end, of the first engine that has any.
            Where there are no others clients may take the answer's head for the end of the work.
    """

    def __init__(
        self,
        exchange: Exchange,
        engines: Sequence[Engine],
        work: str,
        perform: Perform,
        feed: Callable[[], Awaitable[None]] | None = None,
        is_result: IsResult | None = None,
    ) -> None:
        self._exchange = exchange
        self._engines = engines
        self._work = work
        self._perform = perform
        self._feed = feed
        self._is_result = is_result
        self._results: dict[str, list[dict[str, Any]]] = {}
        self._failures: dict[str, EngineError] = {}
        self._told: set[str] = set()

    @property
    def failed(self) -> bool:
        """Whether any engine failed to do its part."""
        return bool(self._failures)

    async def run(self) -> None:
        """Work, and answer: from the first progress on, or at the end where there was none."""
        send, receive = trio.open_memory_channel[_Progress | _Failure](_WAITING_LINES)
        first: _Progress | None = None
        waited = False
        async with trio.open_nursery() as nursery:
            async with send:
                for engine in self._engines:
                    nursery.start_soon(self._work_on, engine, send.clone())
                if self._feed is not None:
                    nursery.start_soon(self._feed)
            async with self._exchange.watching():
                first = await self._first_progress(receive)
                waited = True
            if first is not None:
                await self._stream(first, receive)
            nursery.cancel_scope.cancel()  # what still runs when the client has gone
        receive.close()
        if waited and first is None:
            await self._exchange.send(self._outcome())

    async def _work_on(self, engine: Engine, reports: _Reports) -> None:
        async def report(message: dict[str, Any]) -> None:
            if self._is_result is not None and self._is_result(message):
                self._results.setdefault(engine.node.id, []).append(message)
            else:
                await reports.send(_Progress(engine, message))

        async with reports:
            try:
                await self._perform(engine, report)
            except EngineError as error:
                await reports.send(_Failure(engine, error))

    async def _first_progress(self, reports: _Reported) -> _Progress | None:
        async for report in reports:
            if isinstance(report, _Progress):
                return report
            self._note(report)
        return None

    async def _stream(self, first: _Progress, reports: _Reported) -> None:
        async with self._exchange.stream(200, _JSON) as send:
            await send(self._write(first))
            async for report in reports:
                if isinstance(report, _Progress):
                    await send(self._write(report))
                else:
                    self._note(report)
            if result := self._result():
                await send(result)
            if self._failures:
                await send(dump_json(error_line(self._word())))

    def _write(self, progress: _Progress) -> bytes:
        """One line for the client; nothing for a text that another engine has said already."""
        message = progress.message
        if len(self._engines) == 1:
            return dump_json(message)
        if text := message.get("stream"):
            if text in self._told:
                return b""
            self._told.add(text)
        return dump_json(mark(message, progress.engine.node.name))

    def _result(self) -> bytes:
        """The lines that are told once; nothing where there are none."""
        found = (self._results.get(engine.node.id) for engine in self._engines)
        return b"".join(dump_json(message) for message in next(filter(None, found), ()))

    def _note(self, failure: _Failure) -> None:
        self._failures[failure.engine.node.name] = failure.error

    def _word(self) -> str:
        texts = {name: str(error) for name, error in self._failures.items()}
        return word_failures(texts, len(self._engines), self._work)

    def _outcome(self) -> Answer:
        """The answer of work without progress: success, or an error of the first one's status."""
        if not self._failures:
            return Answer(200, _JSON, self._result())
        if len(self._failures) < len(self._engines):
            return error_answer(500, self._word())
        return error_answer(next(iter(self._failures.values())).status, self._word())


async def report_answer(engine: Engine, got: AnswerStream, report: Report) -> None:
    """Pass an engine's progress on to its end.

    Raises:
        EngineRefused: the answer is an error.
        EngineError: the progress reported one.
    """
    if got.status >= 400:
        body = b"".join([piece async for piece in got])
        raise EngineRefused(engine.node.name, got.status, Answer(got.status, body=body).message)
    lines, failed = Lines(), ""
    async for piece in got:
        failed = await _report(lines.feed(piece), report) or failed
    failed = await _report(lines.end(), report) or failed
    if failed:
        raise EngineError(engine.node.name, failed)


async def _report(messages: Iterable[Mapping[str, Any]], report: Report) -> str:
    """Pass progress on; returns the text of an error among it, which is told at the end."""
    failed = ""
    for message in messages:
        failed = error_text(message) or failed
        if not failed:
            await report(dict(message))
    return failed
