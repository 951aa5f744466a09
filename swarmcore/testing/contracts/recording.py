"""What sinks that keep what they are told have in common: a test waits for what it expects."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import trio

from swarmcore.protocols import Leader, Mandate


class Recording:
    """Tells who waits that something was said."""

    def __init__(self) -> None:
        self._told = trio.Event()

    async def wait_until(self, state: Callable[[], bool]) -> None:
        """Return as soon as *state* holds; it is asked again after each call."""
        while not state():
            await self._told.wait()

    def _tell(self) -> None:
        self._told.set()
        self._told = trio.Event()


@dataclass
class Reign:
    """One time of leading.

    Attributes:
        term: of its mandate.
        began: in trio's time.
        ended: infinite until it has ended.
    """

    term: int
    began: float
    ended: float = math.inf


class RecordingElectionSink(Recording):
    """An ``ElectionSink`` that keeps what it was told.

    Attributes:
        reigns: every time of leading, in order.
        mandate: the last one.
        leader_seen: who leads, as it was told last.
        failures: every reason, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reigns: list[Reign] = []
        self.mandate: Mandate | None = None
        self.leader_seen: Leader | None = None
        self.failures: list[str] = []

    @property
    def leads(self) -> bool:
        """Whether it was elected and has not lost."""
        return bool(self.reigns) and self.reigns[-1].ended == math.inf

    def elected(self, mandate: Mandate) -> None:
        """This candidate leads from now on."""
        assert not self.leads, "elected twice without having lost"
        now = trio.current_time()
        assert now < mandate.until, "elected with a mandate that has ended"
        self.mandate = mandate
        self.reigns.append(Reign(mandate.term, now))
        self._tell()

    def lost(self) -> None:
        """This candidate no longer leads."""
        assert self.leads, "lost without leading"
        self.reigns[-1].ended = trio.current_time()
        self._tell()

    def leader(self, leader: Leader | None) -> None:
        """Who leads."""
        self.leader_seen = leader
        self._tell()

    def failed(self, reason: str) -> None:
        """The store could not be asked."""
        self.failures.append(reason)
        self._tell()
