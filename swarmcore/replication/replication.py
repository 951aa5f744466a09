"""Being one of several managers: standing for election, and giving it up."""

from collections.abc import Awaitable, Callable

import trio

from swarmcore.http.client import HTTPClient
from swarmcore.protocols import Election
from swarmcore.replication.forwarder import Forwarder
from swarmcore.replication.role import Role
from swarmcore.versions import ApiVersion

#: An election tells its store within two seconds.
_RESIGN_SECONDS = 3.0


class Replication:
    """What makes a manager one of several.

    Args:
        election: chooses the primary.
        candidate: ``HOST:PORT`` where the others reach this manager.
        connect: address of a primary -> the way to it.
        announced: the API version that this manager announces.
        wait_seconds: how long a request waits for a primary: as a takeover takes.
    """

    def __init__(
        self,
        election: Election,
        candidate: str,
        connect: Callable[[str], HTTPClient],
        announced: Callable[[], ApiVersion],
        *,
        wait_seconds: float,
    ) -> None:
        self.role = Role(candidate)
        self.forwarder = Forwarder(self.role, connect, announced, wait_seconds=wait_seconds)
        self._election = election
        self._candidate = candidate
        self._candidacy = trio.CancelScope()
        self._over = trio.Event()

    async def run(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Be primary when elected, until cancelled.

        Args:
            refresh: brings what the manager knows of the engines up to date.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.role.get_ready, refresh)
                await self._stand()
                await trio.sleep_forever()
        finally:
            await self.forwarder.aclose()

    async def _stand(self) -> None:
        try:
            with self._candidacy:
                await self._election.campaign(self._candidate, self.role)
        finally:
            self._over.set()

    async def resign(self) -> None:
        """Lead no more, at once, and let the store know, within a few seconds."""
        self._candidacy.cancel()
        with trio.move_on_after(_RESIGN_SECONDS):
            await self._over.wait()
