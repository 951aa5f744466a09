"""Accepts connections, also when the process has no free file descriptor."""

import errno
import logging
import resource
from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio

Connection = trio.abc.HalfCloseableStream

#: Errors of accept(2) that say that the process or the system has no room for a connection.
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
#: How long closing an idle connection may take before the next attempt to accept.
_PAUSE_SECONDS = 0.05
#: Shortest time between two messages of a ``RareLog``.
_QUIET_SECONDS = 60.0


def affordable_connections(most: int) -> int:
    """The number of connections that leave descriptors for engines: half of the process's limit.

    Args:
        most: returned if the limit of open files allows more.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft // 2))


class RareLog:
    """Logs warnings that clients can cause as often as they like, at most once a minute.

    Args:
        log: where to log.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._next = -float("inf")
        self._left_out = 0

    def warning(self, message: str, *arguments: object) -> None:
        """Log *message*, with the number of messages that were left out before it."""
        now = trio.current_time()
        if now < self._next:
            self._left_out += 1
            return
        if self._left_out:
            message, arguments = f"{message} (%d more in between)", (*arguments, self._left_out)
        self._next, self._left_out = now + _QUIET_SECONDS, 0
        self._log.warning(message, *arguments)


async def accept_connections(
    listener: trio.abc.Listener[Connection],
    serve: Callable[[Connection], Awaitable[None]],
    nursery: trio.Nursery,
    make_room: Callable[[], bool],
    log: RareLog,
) -> NoReturn:
    """Accept connections until cancelled, then close *listener*.

    Unlike ``trio.serve_listeners``, this does not just wait while no file descriptor is free.

    Args:
        listener: where to accept.
        serve: serves and closes one connection; runs in *nursery*.
        nursery: the owner of the connections.
        make_room: begins to close a connection that is idle; returns whether there was one.
        log: for the reason of waiting.
    """
    async with listener:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                if not make_room():
                    log.warning(
                        "cannot accept a connection: %s, and no connection is idle; raise the limit"
                        " of open files (ulimit -n, LimitNOFILE=)",
                        error.strerror,
                    )
                await trio.sleep(_PAUSE_SECONDS)
            else:
                nursery.start_soon(serve, stream)
