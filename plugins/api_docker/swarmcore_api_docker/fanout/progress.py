"""Do one request on several engines, and merge their progress into one stream for the client.

The answer begins with the first line of progress of any engine.  If all engines fail before that,
the answer is the error of the first engine that failed.  If the client closes its connection, the
work ends on every engine.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import trio

from swarmcore.errors import EngineError
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json, error_answer
from swarmcore.image_supply.progress import Report
from swarmcore.protocols import Engine, Exchange
from swarmcore_api_docker.compat.progress_lines import error_line, name_node
from swarmcore_api_docker.fanout.gather import describe_failures

#: At most this many progress lines wait for a slow client; then the engines have to wait.
_WAITING_LINES = 64
#: Whether a line of progress is the result of the work.
IsResult = Callable[[Mapping[str, Any]], bool]
#: Does the work on one engine; raises ``EngineError`` if it fails.
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


class AggregateProgress:
    """Does one request on several engines and streams their progress.

    Args:
        exchange: the client's request; ``run`` answers it.
        engines: the engines that do the work.
        work: the name of the work for errors: ``pull``.
        perform: does the work on one engine.
        feed: sends the request's body to the engines; it runs at the same time as *perform*, and
            its failure ends the work on all engines.
        is_result: recognises result lines.  They are held back until the end; then the result lines
            of the first engine that has any are sent.  If there are no other lines, the head of the
            answer is also sent at the end, so that clients may take it for the end of the work.
        names_nodes: put the node's name into lines of several engines, and send a text that several
            engines report only once.
        on_failed: called before the client can read that an engine failed, to change anything that
            the client may ask about next.
    """

    def __init__(
        self,
        exchange: Exchange,
        engines: Sequence[Engine],
        work: str,
        perform: Perform,
        feed: Callable[[], Awaitable[None]] | None = None,
        is_result: IsResult | None = None,
        *,
        names_nodes: bool = True,
        on_failed: Callable[[], None] | None = None,
    ) -> None:
        self._exchange = exchange
        self._engines = engines
        self._work = work
        self._perform = perform
        self._feed = feed
        self._is_result = is_result
        self._names_nodes = names_nodes and len(engines) > 1
        self._on_failed = on_failed
        self._results: dict[str, list[dict[str, Any]]] = {}
        self._failures: dict[str, EngineError] = {}
        self._sent_texts: set[str] = set()

    @property
    def failed(self) -> bool:
        """Return whether any engine failed."""
        return bool(self._failures)

    async def run(self) -> None:
        """Do the work and answer: from the first line of progress on, or at the end without any."""
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
            nursery.cancel_scope.cancel()  # ends the work of the engines if the client has gone
        receive.close()
        if waited and first is None:
            self._report_failure()
            await self._exchange.send(self._outcome())

    def _report_failure(self) -> None:
        if self._failures and self._on_failed is not None:
            self._on_failed()

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
        async with self._exchange.stream(200, JSON_HEADERS) as send:
            await send(self._write(first))
            async for report in reports:
                if isinstance(report, _Progress):
                    await send(self._write(report))
                else:
                    self._note(report)
            if result := self._result():
                await send(result)
            self._report_failure()
            if self._failures:
                await send(dump_json(error_line(self._error_text())))

    def _write(self, progress: _Progress) -> bytes:
        """Return one line for the client; ``b""`` if another engine has sent the same text."""
        message = progress.message
        if not self._names_nodes:
            return dump_json(message)
        if text := message.get("stream"):
            if text in self._sent_texts:
                return b""
            self._sent_texts.add(text)
        return dump_json(name_node(message, progress.engine.node.name))

    def _result(self) -> bytes:
        """Return the result lines of the first engine that has any; ``b""`` if none has."""
        found = (self._results.get(engine.node.id) for engine in self._engines)
        return b"".join(dump_json(message) for message in next(filter(None, found), ()))

    def _note(self, failure: _Failure) -> None:
        self._failures[failure.engine.node.name] = failure.error

    def _error_text(self) -> str:
        texts = {name: str(error) for name, error in self._failures.items()}
        return describe_failures(texts, len(self._engines), self._work)

    def _outcome(self) -> Answer:
        """Return the answer to work without lines of progress: success, or an error.

        If every engine failed, the status is that of the first failure, otherwise 500.
        """
        if not self._failures:
            return Answer(200, JSON_HEADERS, self._result())
        if len(self._failures) < len(self._engines):
            return error_answer(500, self._error_text())
        return error_answer(next(iter(self._failures.values())).status, self._error_text())
