"""A manager as a service: says when it is ready, alive or stopping, and reads files again.

The service manager is systemd, if it has started the process; SIGHUP works without it, too.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import trio

from swarmcore import clock
from swarmcore.cluster import Cluster
from swarmcore.errors import SwarmError
from swarmcore.systemd import Notifier

log = logging.getLogger(__name__)

#: How long the first answers of engines may delay being ready: an engine that is off must not.
_MEETING_SECONDS = 5.0
#: How often the status is compared with what systemd was told.
_STATUS_SECONDS = 5.0
#: Time for closing after the requests' grace period, before systemd may kill the process.
_CLOSING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reloadable:
    """Something that is read again at SIGHUP.

    Attributes:
        name: what it is called in the log.
        reload: reads it again.  If it raises a ``SwarmError``, nothing has changed.
    """

    name: str
    reload: Callable[[], Awaitable[None]]


class Service:
    """The manager as its service manager sees it.

    Args:
        notifier: how systemd is told.
        parts: what SIGHUP reads again.
    """

    def __init__(self, notifier: Notifier, parts: Sequence[Reloadable] = ()) -> None:
        self._notifier = notifier
        self._parts = parts
        self._reloading = trio.Lock()
        self._stopping = False

    async def run(self, cluster: Cluster) -> None:
        """Tell systemd that the manager is ready, alive, and how many nodes are healthy.

        Returns at once if the manager was not started by systemd; otherwise runs until cancelled.

        Args:
            cluster: the cluster of a manager whose listeners are open.
        """
        async with trio.open_nursery() as nursery:
            if self._notifier.watchdog_seconds:
                nursery.start_soon(self._keep_alive, self._notifier.watchdog_seconds / 2)
            if self._notifier.is_used:
                nursery.start_soon(self._tell_status, cluster)

    async def _keep_alive(self, seconds: float) -> None:
        """Show systemd that the event loop runs: this task is one of its tasks."""
        while True:
            await self._notifier.tell(WATCHDOG=1)
            await trio.sleep(seconds)

    async def _tell_status(self, cluster: Cluster) -> None:
        with trio.move_on_after(_MEETING_SECONDS):
            await cluster.membership.wait_until_met()
        told = _status(cluster)
        await self._notifier.tell(READY=1, STATUS=told)
        while not self._stopping:
            await trio.sleep(_STATUS_SECONDS)
            status = _status(cluster)
            if status != told and not self._stopping:
                told = status
                await self._notifier.tell(STATUS=told)

    async def stopping(self, grace_seconds: float) -> None:
        """Tell systemd that the manager completes its requests and ends.

        Args:
            grace_seconds: how long the requests may take.
        """
        self._stopping = True
        await self._notifier.tell(
            STOPPING=1,
            STATUS=f"Completing requests within {grace_seconds:g} s",
            EXTEND_TIMEOUT_USEC=int((grace_seconds + _CLOSING_SECONDS) * 1e6),
        )

    async def reload(self) -> None:
        """Read certificates, settings of nodes and the log level again.

        What cannot be read stays as it is, with one line in the log.
        """
        async with self._reloading:
            # systemd takes a reload for complete if READY comes with a later clock than this.
            await self._notifier.tell(RELOADING=1, MONOTONIC_USEC=clock.monotonic_microseconds())
            for part in self._parts:
                await _reload(part)
            if not self._stopping:
                await self._notifier.tell(READY=1)


async def _reload(part: Reloadable) -> None:
    try:
        await part.reload()
    except SwarmError as error:
        log.error(
            "SIGHUP: %s could not be read again and did not change: %s; correct this and send"
            " SIGHUP again",
            part.name, error,
        )  # fmt: skip
    except Exception:  # what is wrong with one part must not end the manager
        log.exception("SIGHUP: %s could not be read again and did not change", part.name)
    else:
        log.info("SIGHUP: read %s again", part.name)


def _status(cluster: Cluster) -> str:
    """The status in words, such as ``primary; 14 nodes: 13 healthy, 1 unhealthy``."""
    nodes = cluster.nodes()
    states = Counter(node.state.value.lower() for node in nodes)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    role = "primary" if cluster.is_primary else "replica"
    return f"{role}; {len(nodes)} nodes{': ' if counts else ''}{counts}"
