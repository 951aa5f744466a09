"""Configures logging of a command."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

from swarmcore.command_line import Setting
from swarmcore.errors import ConfigError
from swarmcore.printable import printable

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
        """The line of *record*."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  (logging's name)
        """The traceback of an exception."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"    {printable(line)}" for line in lines)


def start_logging(settings: Mapping[str, Setting]) -> None:
    """Log to standard error with the requested level.

    Args:
        settings: at least ``log-level`` and ``debug``.

    Raises:
        ConfigError: there is no such level.
    """
    level = settings["log-level"]
    name = str(level.value).lower()
    if name not in _LEVELS:
        raise ConfigError(f"not a log level: {level.value!r}; levels: {', '.join(_LEVELS)}")
    if settings["debug"].value and not level.given:
        name = "debug"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=_LEVELS[name], force=True)
    for library in ("httpx", "httpcore", "stevedore"):
        # These log every request, at level debug with headers, which may have credentials.
        logging.getLogger(library).setLevel(logging.WARNING)
