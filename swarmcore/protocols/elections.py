"""What a leader election is, and the sink that it reports to.  EXPERIMENTAL as a whole."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads.

    Attributes:
        address: ``HOST:PORT``, as it stood for election.
        term: of its mandate.
    """

    address: str
    term: int


class Mandate(Protocol):
    """What an elected candidate holds: the right to lead, for as long as it is renewed."""

    @property
    def term(self) -> int:
        """A number that is greater with every election in one store: a fence."""
        ...

    @property
    def until(self) -> float:
        """When it ends unless it is renewed before, in trio's time.

        The store lets nobody else lead before; so whoever compares this with the clock knows,
        even in a process that was stopped for a while, without waiting to be told.
        """
        ...


class ElectionSink(Protocol):
    """Where an election says how it stands.  Calls are quick and do not wait."""

    def elected(self, mandate: Mandate) -> None:
        """This candidate leads from now on."""
        ...

    def lost(self) -> None:
        """This candidate no longer leads; said before the store can let another lead."""
        ...

    def leader(self, leader: Leader | None) -> None:
        """Who leads, this candidate or another; ``None`` when nobody does."""
        ...

    def failed(self, reason: str) -> None:
        """The store could not be asked; who led leads on, as far as is known."""
        ...


class Election(Protocol):
    """Chooses one primary among several managers."""

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """Stand for election as *candidate* (``HOST:PORT``) until cancelled, then resign.

        ``lost`` is said at once when it is cancelled; that the store is told takes two seconds
        more at most.
        """
        ...
