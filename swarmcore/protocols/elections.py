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


class SharedText(Protocol):
    """One text in the store of an election: the settings of operators, for the next primary."""

    async def read(self) -> str:
        """The text; empty before it is first written.

        Raises:
            SwarmError: the store does not answer.
        """
        ...

    async def write(self, text: str, *, replacing: str) -> bool:
        """Replace the text, unless another manager has changed it.

        Args:
            text: the new text.
            replacing: the text that was read or written last.

        Returns:
            ``False`` if the store has another text than *replacing*; nothing was changed then.

        Raises:
            SwarmError: the store does not answer; it may have the new text nevertheless.
        """
        ...


class KeepsSettings(Protocol):
    """An election may also have this: its store keeps the settings of operators."""

    @property
    def settings(self) -> SharedText:
        """The settings; used by the primary only."""
        ...


class Election(Protocol):
    """Elects one primary among several managers."""

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """Stand for election as *candidate* (``HOST:PORT``) until cancelled, then resign.

        On cancellation, ``sink.lost`` is called at once; releasing leadership in the store takes
        at most two seconds more.
        """
        ...
