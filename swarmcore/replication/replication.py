"""Runs a manager that is one of several: leader election, role and forwarding."""

from collections.abc import Awaitable, Callable

import trio

from swarmcore.http.client import HTTPClient
from swarmcore.protocols import Election
from swarmcore.replication.forwarder import Forwarder
from swarmcore.replication.role import Role
from swarmcore.versions import ApiVersion

#: Time limit for resigning; an election releases its lock in the store within two seconds.
_RESIGN_SECONDS = 3.0


class Replication:
    """One of several managers.

    Args:
        election: elects the primary.
        candidate: ``HOST:PORT`` at which the other managers reach this one.
        connect: makes a client for the address of a primary.
        announced: returns the API version that this manager announces.
        wait_seconds: how long a request waits for a primary; at least as long as a takeover takes.
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
        self.role = Role(candidate, doubt_seconds=wait_seconds)
        self.forwarder = Forwarder(self.role, connect, announced, wait_seconds=wait_seconds)
        self._election = election
        self._candidate = candidate
        self._candidacy = trio.CancelScope()
        self._over = trio.Event()

    async def run(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Stand for election, and serve as primary when elected, until cancelled.

        Args:
            refresh: reads the engines again; called after each election won.
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
        """Stop leading at once and release leadership in the store, within three seconds."""
        self._candidacy.cancel()
        with trio.move_on_after(_RESIGN_SECONDS):
            await self._over.wait()
