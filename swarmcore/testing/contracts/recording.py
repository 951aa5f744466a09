"""Sinks that record their calls, so that a test can wait for an expected call."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import trio

from swarmcore.protocols import Leader, Mandate


class Recording:
    """The base of recording sinks."""

    def __init__(self) -> None:
        self._told = trio.Event()

    async def wait_until(self, state: Callable[[], bool]) -> None:
        """Wait until *state* returns true; it is checked now and after each call of the sink."""
        while not state():
            await self._told.wait()

    def _tell(self) -> None:
        self._told.set()
        self._told = trio.Event()


@dataclass
class Reign:
    """One period of leadership.

    Attributes:
        term: the term of its mandate.
        began: the beginning, in trio's time.
        ended: the end, in trio's time; infinite while it lasts.
    """

    term: int
    began: float
    ended: float = math.inf


class RecordingElectionSink(Recording):
    """An ``ElectionSink`` that records its calls.

    Attributes:
        reigns: every period of leadership, in order.
        mandate: the last mandate.
        leader_seen: the leader that was reported last.
        failures: the reason of every failure, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reigns: list[Reign] = []
        self.mandate: Mandate | None = None
        self.leader_seen: Leader | None = None
        self.failures: list[str] = []

    @property
    def leads(self) -> bool:
        """Whether this candidate leads at the moment."""
        return bool(self.reigns) and self.reigns[-1].ended == math.inf

    def elected(self, mandate: Mandate) -> None:
        """Record that this candidate leads from now on."""
        assert not self.leads, "elected twice without having lost"
        now = trio.current_time()
        assert now < mandate.until, "elected with a mandate that has ended"
        self.mandate = mandate
        self.reigns.append(Reign(mandate.term, now))
        self._tell()

    def lost(self) -> None:
        """Record that this candidate no longer leads."""
        assert self.leads, "lost without leading"
        self.reigns[-1].ended = trio.current_time()
        self._tell()

    def leader(self, leader: Leader | None) -> None:
        """Record the leader."""
        self.leader_seen = leader
        self._tell()

    def failed(self, reason: str) -> None:
        """Record that the store could not be reached."""
        self.failures.append(reason)
        self._tell()
