"""``POST /images/create``: a pull where it is needed, each engine with the client's credentials.

The first progress of any engine opens the answer; when all fail before that, the answer is the
engine's own error.  A client that goes away ends every pull.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import trio

from swarmcore.errors import BadRequest, EngineError, EngineRefused, NotSupported
from swarmcore.messages import Answer, Headers, Query, dump_json, error_answer
from swarmcore.protocols import AnswerStream, Engine, Exchange, Route
from swarmcore_api_docker.pull_progress import Lines, error_line, error_text, mark, word_failures

_JSON: Headers = ((b"Content-Type", b"application/json"),)
#: What a registry, or the log of an engine, wants to know of the client.
_FORWARDED = (b"x-registry-auth", b"user-agent")
#: Progress lines that wait for the client before the engines are held back.
_WAITING_LINES = 64


@dataclass(frozen=True, slots=True)
class _Progress:
    engine: Engine
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    engine: Engine
    error: EngineError


_Report = _Progress | _Failure


def routes() -> list[Route]:
    """Pulling."""
    return [Route("POST", "/images/create", create_image)]


async def create_image(exchange: Exchange) -> None:
    """``POST /images/create?fromImage=``."""
    query = exchange.request.query
    if query.get("fromSrc"):
        raise NotSupported("importing an image is not supported by this manager yet")
    image = named_image(query)
    engines = exchange.cluster.pull_targets(image, exchange.request.client)
    pull, succeeded = _Pull(exchange, engines), False
    try:
        if not await pull.run():
            await exchange.send(pull.outcome())
        succeeded = not pull.failed
    finally:
        if not succeeded:
            exchange.cluster.pull_failed(image, exchange.request.client)


def named_image(query: Query) -> str:
    """The image that a pull names, tag or digest included.

    Raises:
        BadRequest: none.
    """
    name, tag = query.get("fromImage"), query.get("tag")
    if not name:
        raise BadRequest("neither fromImage nor fromSrc is given")
    if not tag:
        return name
    return f"{name}{'@' if ':' in tag else ':'}{tag}"


class _Pull:
    """One client's pull on some engines."""

    def __init__(self, exchange: Exchange, engines: Sequence[Engine]) -> None:
        self._exchange = exchange
        self._engines = engines
        self._path = f"/images/create?{exchange.request.query}"
        self._headers = tuple(
            (key, value)
            for key, value in exchange.request.headers
            if key.lower() in _FORWARDED or key.lower().startswith(b"x-meta-")
        )
        self._failures: dict[str, EngineError] = {}

    @property
    def failed(self) -> bool:
        """Whether any engine failed to pull."""
        return bool(self._failures)

    async def run(self) -> bool:
        """Pull, and answer from the first progress on; returns whether there was any."""
        send, receive = trio.open_memory_channel[_Report](_WAITING_LINES)
        async with trio.open_nursery() as nursery:
            async with send:
                for engine in self._engines:
                    nursery.start_soon(self._pull, engine, send.clone())
            first: _Progress | None = None
            async with self._exchange.watching():
                first = await self._first_progress(receive)
            if first is not None:
                await self._stream(first, receive)
            nursery.cancel_scope.cancel()  # what still runs when the client has gone
        receive.close()
        return first is not None

    async def _pull(self, engine: Engine, reports: "trio.MemorySendChannel[_Report]") -> None:
        """Pull on one engine, reporting as it goes; the image is in the cache at the end."""
        async with reports:
            try:
                await self._pull_and_report(engine, reports)
            except EngineError as error:
                await reports.send(_Failure(engine, error))

    async def _pull_and_report(
        self, engine: Engine, reports: "trio.MemorySendChannel[_Report]"
    ) -> None:
        version, lines, failed = self._exchange.request.version, Lines(), ""
        async with engine.open("POST", self._path, headers=self._headers, version=version) as got:
            if got.status >= 400:
                raise await _read_refusal(engine, got)
            async for piece in got:
                failed = await _report(engine, lines.feed(piece), reports) or failed
        failed = await _report(engine, lines.end(), reports) or failed
        if failed:
            raise EngineError(engine.node.name, failed)
        await engine.refresh_images()

    async def _first_progress(
        self, reports: "trio.MemoryReceiveChannel[_Report]"
    ) -> _Progress | None:
        async for report in reports:
            if isinstance(report, _Progress):
                return report
            self._note(report)
        return None

    async def _stream(
        self, first: _Progress, reports: "trio.MemoryReceiveChannel[_Report]"
    ) -> None:
        async with self._exchange.stream(200, _JSON) as send:
            await send(self._write(first))
            async for report in reports:
                if isinstance(report, _Progress):
                    await send(self._write(report))
                else:
                    self._note(report)
            if self._failures:
                await send(dump_json(error_line(self._word())))

    def _write(self, progress: _Progress) -> bytes:
        if len(self._engines) == 1:
            return dump_json(progress.message)
        return dump_json(mark(progress.message, progress.engine.node.name))

    def _note(self, failure: _Failure) -> None:
        self._failures[failure.engine.node.name] = failure.error

    def _word(self) -> str:
        texts = {name: str(error) for name, error in self._failures.items()}
        return word_failures(texts, len(self._engines))

    def outcome(self) -> Answer:
        """The answer of a pull without progress: the first engine's error, if there was one.

        The others' texts are told where they differ.
        """
        if not self._failures:
            return Answer(200, _JSON)
        texts = [str(error) for error in self._failures.values()]
        text = texts[0] if len(set(texts)) == 1 else self._word()
        return error_answer(next(iter(self._failures.values())).status, text)


async def _read_refusal(engine: Engine, got: AnswerStream) -> EngineRefused:
    body = b"".join([piece async for piece in got])
    return EngineRefused(engine.node.name, got.status, Answer(got.status, body=body).message)


async def _report(
    engine: Engine, messages: Iterable[dict[str, Any]], reports: "trio.MemorySendChannel[_Report]"
) -> str:
    """Pass progress on; returns the text of an error among it, which is told at the end."""
    failed = ""
    for message in messages:
        failed = error_text(message) or failed
        if not failed:
            await reports.send(_Progress(engine, message))
    return failed
