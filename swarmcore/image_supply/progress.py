"""Reads Docker's progress format: JSON lines that report pulls, loads, pushes and builds."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from swarmcore.errors import EngineError, EngineRefused
from swarmcore.http.messages import Answer
from swarmcore.protocols import AnswerStream, Engine

#: A longer line (in bytes) is ignored; real lines of progress are much shorter.
_LONGEST_LINE = 1024 * 1024
#: Takes one line of progress.
Report = Callable[[dict[str, Any]], Awaitable[None]]


class ProgressLines:
    """Splits a byte stream into JSON objects, one per line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the objects that *data* completes; lines that are not objects are ignored."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return [found for line in lines if (found := _read_object(line)) is not None]

    def end(self) -> list[dict[str, Any]]:
        """Return the object after the last newline, if there is one."""
        found, self._rest = _read_object(self._rest), b""
        return [] if found is None else [found]


def _read_object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def error_text(message: Mapping[str, Any]) -> str | None:
    """Return the error that a line of progress reports, or ``None``."""
    detail = message.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    return str(message["error"]) if message.get("error") else None


async def report_answer(engine: Engine, got: AnswerStream, report: Report) -> None:
    """Pass on an engine's progress until its answer ends.

    Raises:
        EngineRefused: the answer is an error.
        EngineError: a line of progress reported an error.
    """
    if got.status >= 400:
        body = b"".join([piece async for piece in got])
        raise EngineRefused(engine.node.name, got.status, Answer(got.status, body=body).message)
    lines, failed = ProgressLines(), ""
    async for piece in got:
        failed = await _report(lines.feed(piece), report) or failed
    failed = await _report(lines.end(), report) or failed
    if failed:
        raise EngineError(engine.node.name, failed)


async def _report(messages: Iterable[Mapping[str, Any]], report: Report) -> str:
    """Pass on progress up to the first error; return the text of the error, or ``""``."""
    failed = ""
    for message in messages:
        failed = error_text(message) or failed
        if not failed:
            await report(dict(message))
    return failed
