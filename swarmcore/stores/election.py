"""Leader election: the part that is the same for all stores, and what a store must provide.

A leader that cannot reach its store, or whose process was stopped, must know by itself that it no
longer leads, before the store elects another manager.  The store counts the time to live of a
session from the moment it received the renewal; ``_Lease`` counts from the moment before the
renewal was sent, and ends earlier by a margin.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn, Protocol, TypeVar

import trio

from swarmcore import chance
from swarmcore.errors import first_error
from swarmcore.protocols import ElectionSink, Leader
from swarmcore.stores.watching import StoreError

_T = TypeVar("_T")

_RELEASE_SECONDS = 2.0
_PAUSE_SECONDS = (0.1, 0.3)

#: Fractions of the time to live: the margin at its end; the pause between renewals, which is also
#: the time limit of a renewal; the pause before a failed renewal is repeated.  With these values a
#: leader survives an outage of the store of 0.55 times the time to live.
_MARGIN = 1 / 5
_RENEW = 1 / 4
_RETRY = 1 / 20


class SessionLost(StoreError):
    """A session has ended, or is too close to its end to be used."""


class _Lease:
    """Renews one session and knows how long it may be used.

    Args:
        ttl_seconds: time to live, as the store granted it.
        asked: trio time just before the session was requested.
    """

    def __init__(self, ttl_seconds: float, asked: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._renewed = asked

    @property
    def until(self) -> float:
        """trio time after which the session must not be used."""
        return self._renewed + self._ttl_seconds * (1 - _MARGIN)

    @property
    def retry_seconds(self) -> float:
        """How long to wait before a store that did not answer is asked again."""
        return self._ttl_seconds * _RETRY

    def check(self) -> None:
        """Check that the session may still be used.

        Raises:
            SessionLost: it must not be used any more.
        """
        if trio.current_time() >= self.until:
            raise SessionLost(f"the store was out of reach for most of {self._ttl_seconds:g} s")

    async def expire(self) -> NoReturn:
        """Wait until the session must not be used any more.

        Raises:
            SessionLost: always.
        """
        while True:
            await trio.sleep_until(self.until)
            self.check()

    async def renew(self, renew: Callable[[], Awaitable[bool]]) -> NoReturn:
        """Renew the session as long as possible.

        Args:
            renew: returns whether the session still exists; raises ``StoreError``, bare or in a
                group, if that is unknown.

        Raises:
            SessionLost: the store has ended the session.
        """
        pause = self._ttl_seconds * _RENEW
        while True:
            await trio.sleep(pause)
            asked = trio.current_time()
            alive = await self._ask(renew)
            if alive is False:
                raise SessionLost("the store has ended our session")
            if alive:
                self._renewed = asked
            pause = self._ttl_seconds * (_RENEW if alive else _RETRY)

    async def _ask(self, renew: Callable[[], Awaitable[bool]]) -> bool | None:
        """Whether the session still exists; ``None`` if the store did not answer."""
        alive = None
        with trio.move_on_after(self._ttl_seconds * _RENEW):
            try:
                alive = await renew()
            except* SessionLost:
                alive = False
            except* StoreError:
                pass
        return alive


class Session(Protocol):
    """A candidate's session in a store, which ends unless it is renewed.

    Every method may raise, bare or in a group, ``StoreError``: the outcome is unknown; or
    ``SessionLost``: the store confirmed that the session has ended.
    """

    @property
    def ttl_seconds(self) -> float:
        """The time to live after a renewal, as the store granted it."""
        ...

    async def renew(self) -> bool:
        """Renew the session; ``False`` if the store has no such session."""
        ...

    async def acquire(self) -> int:
        """Wait until this session holds the seat; return the term.

        Called again after a failure; the session may then hold the seat already.  A watch can miss
        that the seat became free, so the store must also be polled from time to time.
        """
        ...

    async def wait_lost(self) -> None:
        """Return when the store reports that this session no longer holds the seat."""
        ...

    async def release(self) -> None:
        """End the session and give up the seat."""
        ...


class Seat(Protocol):
    """The leader's place in a store, which one session at a time holds."""

    async def open(self, candidate: str) -> Session:
        """Begin a session for *candidate*.

        Raises:
            StoreError: the store cannot begin one now.
        """
        ...

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        """Report the holder of the seat, now and after each change, until a ``StoreError``."""
        ...


class SeatElection:
    """An ``Election`` for a seat in a store.

    Args:
        seat: the leader's place in the store.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """See ``Election``."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_persist, partial(_watch, self._seat, sink), sink)
            nursery.start_soon(_persist, partial(_stand, self._seat, candidate, sink), sink)


#: To be called when the store has answered.
_Answered = Callable[[], None]


async def _persist(work: Callable[[_Answered], Awaitable[None]], sink: ElectionSink) -> None:
    """Repeat *work* forever; report a failure once until its reason changes."""
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
        await trio.sleep(chance.source().uniform(*_PAUSE_SECONDS))


async def _watch(seat: Seat, sink: ElectionSink, answered: _Answered) -> None:
    def report(leader: Leader | None) -> None:
        answered()
        sink.leader(leader)

    await seat.watch(report)


async def _stand(seat: Seat, candidate: str, sink: ElectionSink, answered: _Answered) -> None:
    """Stand for election in one session, until it ends or the seat is lost."""
    asked = trio.current_time()
    session = await seat.open(candidate)
    answered()
    lease = _Lease(session.ttl_seconds, asked)
    term_of_office = _Term(lease, sink)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lease.renew, session.renew)
            nursery.start_soon(term_of_office.leave_in_time)
            term = await _insist(session.acquire, lease)
            # A process that was stopped may see its election after the lease has ended.
            lease.check()
            term_of_office.enter(term)
            try:
                await _insist(session.wait_lost, lease)
            finally:
                term_of_office.leave()
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(_RELEASE_SECONDS, shield=True):
            try:
                await session.release()
            except* StoreError:
                pass  # the session ends after its time to live


async def _insist(ask: Callable[[], Awaitable[_T]], lease: _Lease) -> _T:
    """Repeat *ask* until the store answers: a broken connection does not end the session."""
    while True:
        try:
            return await ask()
        except* SessionLost:
            raise
        except* StoreError:
            pass
        await trio.sleep(lease.retry_seconds)


class _Term:
    """The ``Mandate`` of one term; notifies the sink of its beginning and of its end, once each."""

    def __init__(self, lease: _Lease, sink: ElectionSink) -> None:
        self._lease = lease
        self._sink = sink
        self._entered = False
        self.term = 0

    @property
    def until(self) -> float:
        """See ``Mandate``."""
        return self._lease.until

    def enter(self, term: int) -> None:
        self.term = term
        self._entered = True
        self._sink.elected(self)

    def leave(self) -> None:
        if self._entered:
            self._entered = False
            self._sink.lost()

    async def leave_in_time(self) -> None:
        """End the term when the lease expires, even if the store does not answer."""
        try:
            await self._lease.expire()
        finally:
            self.leave()
