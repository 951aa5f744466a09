"""Standing for election in any store: what all have in common, and what each must supply."""

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

import trio

from swarmcore.errors import first_error
from swarmcore.protocols import ElectionSink, Leader
from swarmcore.stores.following import StoreError
from swarmcore.stores.guard import Guard, SessionLost

_T = TypeVar("_T")

_RELEASE_SECONDS = 2.0
_PAUSE_SECONDS = (0.1, 0.3)


class Session(Protocol):
    """A session with the store, in which one candidate stands.  Ends when it is not renewed.

    Every method may raise ``StoreError``, bare or in a group, which means that the store's mind
    is not known, and ``SessionLost``, which means that it is: the session has ended.
    """

    @property
    def ttl_seconds(self) -> float:
        """How long the store certainly keeps it after a renewal, as the store granted it."""
        ...

    async def renew(self) -> bool:
        """Renew it; ``False`` when the store says that there is no such session."""
        ...

    async def acquire(self) -> int:
        """Wait until this session holds the seat; returns the term.

        May be called again after a failure, when the seat may be held already.  Must find out by
        asking, now and then, when a watch may have missed that the seat is free.
        """
        ...

    async def wait_lost(self) -> None:
        """Return when the store says that this session no longer holds the seat."""
        ...

    async def release(self) -> None:
        """End it, and with it what it holds."""
        ...


class Seat(Protocol):
    """The place in a store that one candidate at a time holds."""

    async def open(self, candidate: str) -> Session:
        """Begin a session for *candidate*.

        Raises:
            StoreError: it cannot be had now.
        """
        ...

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        """Report who holds the seat, now and after each change, until it raises ``StoreError``."""
        ...


class SeatElection:
    """An ``Election`` for a seat in a store.

    Args:
        seat: the store's.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """See ``Election``."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_persist, partial(_watch, self._seat, sink), sink)
            nursery.start_soon(_persist, partial(_stand, self._seat, candidate, sink), sink)


#: Called when the store has answered.
_Answered = Callable[[], None]


async def _persist(work: Callable[[_Answered], Awaitable[None]], sink: ElectionSink) -> None:
    """Do *work* again and again; trouble that stays the same is told once."""
    told = ""

    def answered() -> None:
        nonlocal told
        told = ""

    while True:
        try:
            await work(answered)
        except* StoreError as group:
            reason = str(first_error(group))
            if reason != told:
                sink.failed(reason)
            told = reason
        await trio.sleep(random.uniform(*_PAUSE_SECONDS))


async def _watch(seat: Seat, sink: ElectionSink, answered: _Answered) -> None:
    def report(leader: Leader | None) -> None:
        answered()
        sink.leader(leader)

    await seat.watch(report)


async def _stand(seat: Seat, candidate: str, sink: ElectionSink, answered: _Answered) -> None:
    """Stand in one session, until it ends or the seat is lost."""
    asked = trio.current_time()
    session = await seat.open(candidate)
    answered()
    guard = Guard(session.ttl_seconds, asked)
    office = _Office(guard, sink)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(guard.renew, session.renew)
            nursery.start_soon(office.leave_in_time)
            term = await _insist(session.acquire, guard)
            # A process that was stopped meanwhile may come to know of both at the same moment.
            guard.check()
            office.enter(term)
            try:
                await _insist(session.wait_lost, guard)
            finally:
                office.leave()
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(_RELEASE_SECONDS, shield=True):
            try:
                await session.release()
            except* StoreError:
                pass  # it ends by itself, when its time has come


async def _insist(ask: Callable[[], Awaitable[_T]], guard: Guard) -> _T:
    """Ask until there is an answer: a connection that broke is not a session that ended."""
    while True:
        try:
            return await ask()
        except* SessionLost:
            raise
        except* StoreError:
            pass
        await trio.sleep(guard.retry_seconds)


class _Office:
    """What the winner is in: says to the sink, once each, that it begins and that it ends.

    A ``Mandate``.
    """

    def __init__(self, guard: Guard, sink: ElectionSink) -> None:
        self._guard = guard
        self._sink = sink
        self._entered = False
        self.term = 0

    @property
    def until(self) -> float:
        """See ``Mandate``."""
        return self._guard.until

    def enter(self, term: int) -> None:
        self.term = term
        self._entered = True
        self._sink.elected(self)

    def leave(self) -> None:
        if self._entered:
            self._entered = False
            self._sink.lost()

    async def leave_in_time(self) -> None:
        """Leave by the clock: before anything is awaited that an unreachable store holds up."""
        try:
            await self._guard.expire()
        finally:
            self.leave()
