"""Leader election in any store: the part that is the same in all, and what a store must supply.

A leader that cannot reach its store, or was stopped for a while, must know without the store that
it no longer leads, before the store lets another manager lead.  The store counts a session's time
from the moment at which it received the renewal; ``_Lease`` counts from the moment before the
renewal was sent, and stops earlier by a margin.
"""

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, Protocol, TypeVar

import trio

from swarmcore.errors import first_error
from swarmcore.protocols import ElectionSink, Leader
from swarmcore.stores.following import StoreError

_T = TypeVar("_T")

_RELEASE_SECONDS = 2.0
_PAUSE_SECONDS = (0.1, 0.3)

#: Fractions of the time to live: the margin at its end; the pause between renewals, which is also
#: the longest time for one renewal; the pause before a failed renewal is tried again.  With these
#: an outage of 0.55 of the time to live is survived.
_MARGIN = 1 / 5
_RENEW = 1 / 4
_RETRY = 1 / 20


class SessionLost(StoreError):
    """A session ended, or is too close to its end to be used."""


class _Lease:
    """Renews one session, and knows until when it may be used.

    Args:
        ttl_seconds: as the store granted it.
        asked: trio's time just before the session was asked for.
    """

    def __init__(self, ttl_seconds: float, asked: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._renewed = asked

    @property
    def until(self) -> float:
        """When the session must no longer be used, in trio's time."""
        return self._renewed + self._ttl_seconds * (1 - _MARGIN)

    @property
    def retry_seconds(self) -> float:
        """How long to wait before asking a store again that did not answer."""
        return self._ttl_seconds * _RETRY

    def check(self) -> None:
        """Raise ``SessionLost`` if the session must no longer be used."""
        if trio.current_time() >= self.until:
            raise SessionLost(f"the store was out of reach for most of {self._ttl_seconds:g} s")

    async def expire(self) -> NoReturn:
        """Wait until the session must no longer be used.

        Raises:
            SessionLost: always.
        """
        while True:
            await trio.sleep_until(self.until)
            self.check()

    async def renew(self, renew: Callable[[], Awaitable[bool]]) -> NoReturn:
        """Renew the session for as long as that is possible.

        Args:
            renew: returns whether the session lives on; raises ``StoreError``, bare or in a
                group, when the store does not say.

        Raises:
            SessionLost: the store says that it has ended.
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
        """Whether the session lives on; ``None`` when the store did not say."""
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
    """A candidate's session with the store.  It ends when it is not renewed.

    Every method may raise ``StoreError``, bare or in a group: the outcome is unknown; and
    ``SessionLost``: the store confirmed that the session has ended.
    """

    @property
    def ttl_seconds(self) -> float:
        """How long the store keeps the session after a renewal, as the store granted it."""
        ...

    async def renew(self) -> bool:
        """Renew the session; ``False`` when the store says that there is no such session."""
        ...

    async def acquire(self) -> int:
        """Wait until this session holds the seat; returns the term.

        It is called again after a failure; then the session may hold the seat already.  A watch
        can miss that the seat became free, so the store must also be asked now and then.
        """
        ...

    async def wait_lost(self) -> None:
        """Return when the store says that this session no longer holds the seat."""
        ...

    async def release(self) -> None:
        """End the session, and let go of the seat."""
        ...


class Seat(Protocol):
    """The place in a store that one candidate at a time holds."""

    async def open(self, candidate: str) -> Session:
        """Begin a session for *candidate*.

        Raises:
            StoreError: the store begins none now.
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
    """Do *work* again and again; a failure is reported once until its reason changes."""
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
    lease = _Lease(session.ttl_seconds, asked)
    term_of_office = _Term(lease, sink)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lease.renew, session.renew)
            nursery.start_soon(term_of_office.leave_in_time)
            term = await _insist(session.acquire, lease)
            # A process that was stopped may learn of its election after the lease has ended.
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
                pass  # the session ends when its time to live is over


async def _insist(ask: Callable[[], Awaitable[_T]], lease: _Lease) -> _T:
    """Ask until the store answers: a broken connection does not end the session."""
    while True:
        try:
            return await ask()
        except* SessionLost:
            raise
        except* StoreError:
            pass
        await trio.sleep(lease.retry_seconds)


class _Term:
    """The winner's term of office, a ``Mandate``: tells the sink once that it begins, and that it
    ends.
    """

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
        """Leave when the lease expires, without waiting for a store that may not answer."""
        try:
            await self._lease.expire()
        finally:
            self.leave()


# ---- a seat that is one key


@dataclass(frozen=True, slots=True)
class Holder:
    """The leader's key as it was read.

    Attributes:
        address: the value: where the leader is asked.
        session: which session holds the key.
        term: grows with each holder.
    """

    address: str
    session: str
    term: int


class LeaderKey(Protocol):
    """A key in a store that one session at a time holds.

    Every method may raise ``StoreError``, bare or in a group.
    """

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Keep connections to the store open, until the context ends."""
        ...

    async def open(self) -> tuple[str, float]:
        """Begin a session; returns its name, and the seconds that the store keeps it for."""
        ...

    async def renew(self, session: str) -> bool:
        """Renew a session; ``False`` when the store says that it has ended."""
        ...

    async def end(self, session: str) -> None:
        """End a session, and with it what it holds."""
        ...

    async def take(self, session: str, address: str) -> int | None:
        """Have *session* hold the free key; the term, or ``None`` when another was faster."""
        ...

    async def follow(self, decide: Callable[[Holder | None], Awaitable[_T | None]]) -> _T:
        """Show the holder to *decide* until it returns something other than ``None``.

        It is shown at once, after each change, and now and then without one, because a watch whose
        connection is half open is silent.

        Returns:
            What *decide* returned.
        """
        ...


class KeyElection:
    """An ``Election`` for a key in a store.

    Args:
        key: the leader's.
    """

    def __init__(self, key: LeaderKey) -> None:
        self._key = key

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """See ``Election``."""
        async with self._key.connected():
            await SeatElection(_KeySeat(self._key)).campaign(candidate, sink)


class _KeySeat:
    """A ``Seat``."""

    def __init__(self, key: LeaderKey) -> None:
        self._key = key

    async def open(self, candidate: str) -> "_KeySession":
        session, ttl_seconds = await self._key.open()
        return _KeySession(self._key, session, ttl_seconds, candidate)

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        async def tell(holder: Holder | None) -> None:
            report(Leader(holder.address, holder.term) if holder else None)

        await self._key.follow(tell)


class _KeySession:
    """A ``Session``."""

    def __init__(self, key: LeaderKey, session: str, ttl_seconds: float, candidate: str) -> None:
        self.ttl_seconds = ttl_seconds
        self._key = key
        self._session = session
        self._candidate = candidate

    async def renew(self) -> bool:
        return await self._key.renew(self._session)

    async def acquire(self) -> int:
        async def take(holder: Holder | None) -> int | None:
            if holder is None:
                return await self._key.take(self._session, self._candidate)
            # Ours already, when the answer to an earlier attempt was lost.
            return holder.term if holder.session == self._session else None

        return await self._key.follow(take)

    async def wait_lost(self) -> None:
        async def is_lost(holder: Holder | None) -> bool | None:
            return holder is None or holder.session != self._session or None

        await self._key.follow(is_lost)

    async def release(self) -> None:
        await self._key.end(self._session)
