"""Configures logging of a command."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from swarmcore.command_line import Setting
from swarmcore.errors import ConfigError
from swarmcore.http.request_ids import current_request_id
from swarmcore.printable import printable

#: The options that decide the level.
LEVEL_OPTIONS = frozenset({"log-level", "debug"})

#: Swarm classic's levels; ``fatal`` and ``panic``, which end a Go program, are one level here.
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "panic": logging.CRITICAL,
}


class PrintableFormatter(logging.Formatter):
    """Writes one printable line for each message, and indents the lines of tracebacks.

    So a text from an engine or a store cannot look like a line of the log.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """The line of *record*, with the id of the request that caused it."""
        request_id = current_request_id().decode()
        ends = f" (request {request_id})" if request_id else ""
        return printable(super().formatMessage(record)) + ends

    def formatException(self, ei: Any) -> str:  # noqa: N802  (logging's name)
        """The traceback of an exception."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"    {printable(line)}" for line in lines)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """The moment of *record* with milliseconds and the offset of the time zone (ISO 8601)."""
        return _moment(record)


class JsonFormatter(logging.Formatter):
    """Writes each message as one JSON object: time, level, logger, message, request, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of *record*."""
        document = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_request_id():
            document["request"] = request_id.decode()
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document)


_FORMATTERS: Mapping[str, Callable[[], logging.Formatter]] = {
    "text": lambda: PrintableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"),
    "json": JsonFormatter,
}


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC).astimezone()
    return moment.isoformat(timespec="milliseconds")


def set_level(settings: Mapping[str, Setting]) -> None:
    """Change the level of a log that has started.

    Args:
        settings: at least ``LEVEL_OPTIONS``.

    Raises:
        ConfigError: there is no such level.
    """
    logging.getLogger().setLevel(_level(settings))


def _level(settings: Mapping[str, Setting]) -> int:
    level = settings["log-level"]
    name = str(level.value).lower()
    if name not in _LEVELS:
        raise ConfigError(f"not a log level: {level.value!r}; levels: {', '.join(_LEVELS)}")
    if settings["debug"].value and not level.given:
        name = "debug"
    return _LEVELS[name]


def start_logging(settings: Mapping[str, Setting]) -> None:
    """Log to standard error with the requested level and format.

    Args:
        settings: at least ``log-level``, ``log-format`` and ``debug``.

    Raises:
        ConfigError: there is no such level or format.
    """
    level = _level(settings)
    form = settings["log-format"].value
    if form not in _FORMATTERS:
        raise ConfigError(f"--log-format {form}: use {' or '.join(_FORMATTERS)}")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[form]())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in ("httpx", "httpcore", "stevedore"):
        # These log every request, at level debug with headers, which may have credentials.
        logging.getLogger(library).setLevel(logging.WARNING)
