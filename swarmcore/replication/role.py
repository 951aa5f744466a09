"""The role of this manager among several: primary or replica.

The clock decides: a mandate that has expired no longer counts, even if the election has not yet
reported its loss.
"""

import logging
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import trio

from swarmcore import clock
from swarmcore.errors import NotPrimary
from swarmcore.protocols import Leader, Mandate

log = logging.getLogger(__name__)


class Role:
    """Implements ``ElectionSink`` for the election and ``Leadership`` for the cluster.

    Args:
        candidate: ``HOST:PORT`` under which this manager stands for election.
        doubt_seconds: after this time without an answer of the store, nobody can lead any more.
    """

    def __init__(self, candidate: str, doubt_seconds: float = math.inf) -> None:
        self._candidate = candidate
        self._doubt_seconds = doubt_seconds
        #: Since when the store does not answer; infinite while it does.
        self._silent_since = math.inf
        self._mandate: Mandate | None = None
        self._own_term = 0
        self._is_ready = False
        self._leader: Leader | None = None
        self._changed = trio.Event()

    def __repr__(self) -> str:
        return f"<Role {'primary' if self.is_primary else f'replica of {self.primary}'}>"

    # ---- called by the election

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
        self._silent_since = math.inf
        if leader == self._leader:
            return
        if leader is not None:
            log.info("New leader elected: %s (term %d)", leader.address, leader.term)
        self._leader = leader
        self._tell()

    def failed(self, reason: str) -> None:
        """See ``ElectionSink``."""
        self._silent_since = min(self._silent_since, trio.current_time())
        log.error("Leader Election: %s", reason)

    async def get_ready(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Call *refresh* after each election of this manager, then answer; until cancelled."""
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

    # ---- read by the cluster

    @property
    def is_primary(self) -> bool:
        """See ``Leadership``."""
        return self._mandate is not None and trio.current_time() < self._mandate.until

    @property
    def primary(self) -> str:
        """See ``Leadership``; unknown if the store is silent for too long."""
        if trio.current_time() - self._silent_since > self._doubt_seconds:
            return ""
        return "" if self.other is None else self.other.address

    def check(self) -> None:
        """See ``Leadership``."""
        if not self.is_primary:
            raise NotPrimary("this manager is no longer primary; try again")

    # ---- read by the forwarder

    @property
    def term(self) -> int:
        """The term of this manager's latest mandate; 0 before the first."""
        return self._own_term

    def is_over(self, term: int) -> bool:
        """Whether this manager's mandate of *term* has ended.

        ``False`` for a term that this manager has not heard of: a replica may learn of an election
        before the elected manager does.
        """
        if self.is_primary:
            return False
        return self._own_term >= term or (self.other is not None and self.other.term >= term)

    @property
    def answers(self) -> bool:
        """Whether this manager answers requests: it is primary and has read the engines."""
        return self.is_primary and self._is_ready

    @property
    def other(self) -> Leader | None:
        """The primary, if it is known and is another manager.

        Our own address without a mandate is left over from a previous run and is ignored.
        """
        known = self._leader
        if known is None or self.is_primary or known.address == self._candidate:
            return None
        return known

    async def changed(self) -> None:
        """Wait for the next change of the mandate, of the leader, or of readiness."""
        await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _wall_clock(moment: float) -> str:
    """Convert a time of trio's clock to UTC in ISO 8601, so that managers' logs compare."""
    seconds = clock.unix_seconds() - (trio.current_time() - moment)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
