"""Leader election for a key of a key-value store that one session at a time holds."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from swarmcore.protocols import ElectionSink, Leader
from swarmcore.stores.election import SeatElection
from swarmcore.stores.watching import StoreError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Holder:
    """The content of the leader's key.

    Attributes:
        address: the value: ``HOST:PORT`` of the leader.
        session: the session that holds the key.
        term: a number that grows with each holder.
    """

    address: str
    session: str
    term: int


class LeaderKey(Protocol):
    """A key in a store that one session at a time holds.

    Every method may raise ``StoreError``, bare or in a group.
    """

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Keep connections to the store open until the context ends."""
        ...

    async def open(self) -> tuple[str, float]:
        """Begin a session; return its id and its time to live in seconds."""
        ...

    async def renew(self, session: str) -> bool:
        """Renew a session; ``False`` if the store has no such session."""
        ...

    async def end(self, session: str) -> None:
        """End a session and free what it holds."""
        ...

    async def take(self, session: str, address: str) -> int | None:
        """Take the key if it is free; return the term, or ``None`` if another session has it."""
        ...

    async def follow(self, decide: Callable[[Holder | None], Awaitable[_T | None]]) -> _T:
        """Call *decide* with the holder until it returns something other than ``None``.

        Called at once, after each change, and from time to time, as a watch on a half-open
        connection receives nothing.

        Returns:
            The value that *decide* returned.
        """
        ...


class KeyElection:
    """An ``Election`` for a key in a store.

    Args:
        key: the leader's key.
    """

    def __init__(self, key: LeaderKey) -> None:
        self._key = key

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """See ``Election``."""
        async with self._key.connected():
            await SeatElection(_KeySeat(self._key)).campaign(candidate, sink)


class _KeySeat:
    """Implements ``Seat`` with a ``LeaderKey``."""

    def __init__(self, key: LeaderKey) -> None:
        self._key = key
        #: Sessions of this process that could not be ended, as the store did not answer.
        self._left: set[str] = set()

    async def open(self, candidate: str) -> "_KeySession":
        session, ttl_seconds = await self._key.open()
        await self._end_left()
        return _KeySession(self._key, session, ttl_seconds, candidate, self._left)

    async def _end_left(self) -> None:
        """End earlier sessions: a store that was away renews them all when it is back.

        Otherwise the key of our last mandate, which has ended, would keep everybody from leading
        for another time to live.
        """
        for session in list(self._left):
            try:
                await self._key.end(session)
            except* StoreError:
                pass  # the store has ended it already, or ends it after its time to live
            self._left.discard(session)

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        async def tell(holder: Holder | None) -> None:
            report(Leader(holder.address, holder.term) if holder else None)

        await self._key.follow(tell)


class _KeySession:
    """Implements ``Session`` with a ``LeaderKey``."""

    def __init__(
        self, key: LeaderKey, session: str, ttl_seconds: float, candidate: str, left: set[str]
    ) -> None:
        self.ttl_seconds = ttl_seconds
        self._left = left
        self._key = key
        self._session = session
        self._candidate = candidate

    async def renew(self) -> bool:
        return await self._key.renew(self._session)

    async def acquire(self) -> int:
        async def take(holder: Holder | None) -> int | None:
            if holder is None:
                return await self._key.take(self._session, self._candidate)
            # The key is ours already if the answer to an earlier attempt was lost.
            return holder.term if holder.session == self._session else None

        return await self._key.follow(take)

    async def wait_lost(self) -> None:
        async def is_lost(holder: Holder | None) -> bool | None:
            return holder is None or holder.session != self._session or None

        await self._key.follow(is_lost)

    async def release(self) -> None:
        self._left.add(self._session)
        await self._key.end(self._session)
        self._left.discard(self._session)
