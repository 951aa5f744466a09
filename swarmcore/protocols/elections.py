"""Interfaces of leader election.  EXPERIMENTAL as a whole."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Leader:
    """The current leader.

    Attributes:
        address: ``HOST:PORT`` under which it stood for election.
        term: the term of its mandate.
    """

    address: str
    term: int


class Mandate(Protocol):
    """The right to lead, until a point in time that moves on while the mandate is renewed."""

    @property
    def term(self) -> int:
        """A number that grows with every election in one store: a fencing token."""
        ...

    @property
    def until(self) -> float:
        """When the mandate ends unless it is renewed, in trio's time.

        The store elects no other candidate before.  A process that was stopped for a while
        therefore only has to compare this with the clock; it need not wait for ``lost``.
        """
        ...


class ElectionSink(Protocol):
    """Receives the state of an election.  Implementations return quickly and do not block."""

    def elected(self, mandate: Mandate) -> None:
        """This candidate leads from now on, with *mandate*."""
        ...

    def lost(self) -> None:
        """This candidate no longer leads; called before the store can elect another."""
        ...

    def leader(self, leader: Leader | None) -> None:
        """The current leader, which may be this candidate; ``None`` if there is no leader."""
        ...

    def failed(self, reason: str) -> None:
        """The store cannot be reached; the last known leader stays the leader."""
        ...


class Election(Protocol):
    """Elects one primary among several managers."""

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """Stand for election as *candidate* (``HOST:PORT``) until cancelled, then resign.

        On cancellation, ``sink.lost`` is called at once; releasing leadership in the store takes
        at most two seconds more.
        """
        ...
