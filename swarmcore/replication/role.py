"""What this manager is among several: primary or replica, and of whom.

Believes the clock before anything else: a mandate that has ended is none, whether or not the
election has come to say so.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import trio

from swarmcore.errors import NotPrimary
from swarmcore.protocols import Leader, Mandate

log = logging.getLogger(__name__)


class Role:
    """An ``ElectionSink`` for the election, a ``Leadership`` for the cluster.

    Args:
        candidate: ``HOST:PORT`` by which this manager stands for election.
    """

    def __init__(self, candidate: str) -> None:
        self._candidate = candidate
        self._mandate: Mandate | None = None
        self._own_term = 0
        self._is_ready = False
        self._leader: Leader | None = None
        self._changed = trio.Event()

    def __repr__(self) -> str:
        return f"<Role {'primary' if self.is_primary else f'replica of {self.primary}'}>"

    # ---- the election's side

    def elected(self, mandate: Mandate) -> None:
        """See ``ElectionSink``."""
        log.info("Leader Election: Cluster leadership acquired (term %d)", mandate.term)
        self._mandate, self._own_term, self._is_ready = mandate, mandate.term, False
        self._tell()

    def lost(self) -> None:
        """See ``ElectionSink``."""
        mandate, self._mandate, self._is_ready = self._mandate, None, False
        if mandate is not None:
            log.info(
                "Leader Election: Cluster leadership lost (term %d, held until %s)",
                mandate.term,
                _wall_clock(min(mandate.until, trio.current_time())),
            )
        self._tell()

    def leader(self, leader: Leader | None) -> None:
        """See ``ElectionSink``."""
        if leader == self._leader:
            return
        if leader is not None:
            log.info("New leader elected: %s (term %d)", leader.address, leader.term)
        self._leader = leader
        self._tell()

    def failed(self, reason: str) -> None:
        """See ``ElectionSink``."""
        log.error("Leader Election: %s", reason)

    async def get_ready(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled, *refresh* what this manager knows each time it is elected."""
        while True:
            mandate = self._mandate
            if mandate is not None and not self._is_ready:
                await refresh()
                if self._mandate is mandate:
                    self._is_ready = True
                    log.info("Answering as primary (term %d)", mandate.term)
                    self._tell()
            else:
                await self.changed()

    # ---- the cluster's side

    @property
    def is_primary(self) -> bool:
        """See ``Leadership``."""
        return self._mandate is not None and trio.current_time() < self._mandate.until

    @property
    def primary(self) -> str:
        """See ``Leadership``."""
        return "" if self.other is None else self.other.address

    def check(self) -> None:
        """See ``Leadership``."""
        if not self.is_primary:
            raise NotPrimary("this manager is no longer primary; try again")

    # ---- for requests

    @property
    def term(self) -> int:
        """Of the latest mandate; 0 before the first."""
        return self._own_term

    def is_over(self, term: int) -> bool:
        """Whether the mandate of *term*, which a replica takes for this manager's, is over.

        One that is not yet known here is not: a replica may hear of an election sooner.
        """
        if self.is_primary:
            return False
        return self._own_term >= term or (self.other is not None and self.other.term >= term)

    @property
    def answers(self) -> bool:
        """Whether this manager answers as primary: it is, and knows the engines."""
        return self.is_primary and self._is_ready

    @property
    def other(self) -> Leader | None:
        """The primary, as far as it is known and another manager.

        The own address in the store without a mandate is what an earlier life has left there.
        """
        known = self._leader
        if known is None or self.is_primary or known.address == self._candidate:
            return None
        return known

    async def changed(self) -> None:
        """Return at the next change of anything."""
        await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _wall_clock(moment: float) -> str:
    """A moment of trio's as others can compare it."""
    seconds = time.time() - (trio.current_time() - moment)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
