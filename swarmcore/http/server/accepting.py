"""Accepts connections, also when the process has no free file descriptor."""

import errno
import resource
from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio

from swarmcore.http.server.rare_log import RareLog

Connection = trio.abc.HalfCloseableStream

#: Errors of accept(2) that say that the process or the system has no room for a connection.
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
#: How long closing an idle connection may take before the next attempt to accept.
_PAUSE_SECONDS = 0.05


def affordable_connections(most: int) -> int:
    """The number of connections that leave descriptors for engines: half of the process's limit.

    Args:
        most: returned if the limit of open files allows more.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft // 2))


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
