"""Configures logging of a command."""

import logging
import sys
from collections.abc import Mapping

from swarmcore.command_line import Setting
from swarmcore.errors import ConfigError

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
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(stream=sys.stderr, level=_LEVELS[name], format=form, force=True)
    for library in ("httpx", "httpcore", "stevedore"):
        # These log every request, at level debug with headers, which may have credentials.
        logging.getLogger(library).setLevel(logging.WARNING)
