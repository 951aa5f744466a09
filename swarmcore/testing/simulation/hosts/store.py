"""An election store in memory: a leader's key, sessions, and one text, reached over a network.

The election itself is the product's: this is the part that etcd or Consul would be.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import TypeVar

import trio

from swarmcore.stores.key_election import Holder
from swarmcore.stores.watching import StoreError
from swarmcore.testing.simulation.hosts.network import Host

_T = TypeVar("_T")

#: A request to a store that does not answer fails after this time.
_PATIENCE_SECONDS = 2.0
#: A watch looks again after this time, as it may have missed a change.
_POLL_SECONDS = 5.0


class Store:
    """The store's content; its clock is that of the simulation.

    Args:
        host: its host.
        ttl_seconds: the time to live of sessions.
        random: decides which answers are lost while answers are lost.
    """

    def __init__(self, host: Host, ttl_seconds: float, random: Random) -> None:
        self.host = host
        self.ttl_seconds = ttl_seconds
        self.text = ""
        self.loses_answers = False
        self._random = random
        self._sessions: dict[str, float] = {}
        self._holder: Holder | None = None
        self._term = 0
        self._opened = 0
        self.changed = trio.Event()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = trio.Event()

    @property
    def holder(self) -> Holder | None:
        """The leader, as long as its session lives."""
        holder = self._holder
        if holder is not None and not self.is_alive(holder.session):
            self._holder = None
        return self._holder

    def is_alive(self, session: str) -> bool:
        """Whether the store still has a session."""
        until = self._sessions.get(session)
        return until is not None and trio.current_time() < until

    def open(self) -> str:
        """Begin a session."""
        self._opened += 1
        session = f"session-{self._opened}"
        self._sessions[session] = trio.current_time() + self.ttl_seconds
        return session

    def renew(self, session: str) -> bool:
        """Renew a session that still lives."""
        if not self.is_alive(session):
            return False
        self._sessions[session] = trio.current_time() + self.ttl_seconds
        return True

    def end(self, session: str) -> None:
        """End a session, and free the key if that session holds it."""
        self._sessions.pop(session, None)
        self._tell()

    def take(self, session: str, address: str) -> int | None:
        """Give the key to a session if it is free; return the term."""
        if self.holder is not None or not self.is_alive(session):
            return None
        self._term += 1
        self._holder = Holder(address, session, self._term)
        self._tell()
        return self._term

    def write(self, text: str, replacing: str) -> bool:
        """Replace the text if it is still *replacing*."""
        if self.text != replacing:
            return False
        self.text = text
        return True

    def loses(self) -> bool:
        """Whether the answer to the current request is lost."""
        return self.loses_answers and self._random.random() < 0.5


class StoreClient:
    """A manager's access to the store: implements ``LeaderKey`` and ``SharedText``.

    Args:
        store: the store.
        host: the manager's host.
    """

    def __init__(self, store: Store, host: Host) -> None:
        self._store = store
        self._host = host

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """See ``LeaderKey``."""
        yield

    async def open(self) -> tuple[str, float]:
        """See ``LeaderKey``."""
        return await self._ask(self._store.open), self._store.ttl_seconds

    async def renew(self, session: str) -> bool:
        """See ``LeaderKey``."""
        return await self._ask(lambda: self._store.renew(session))

    async def end(self, session: str) -> None:
        """See ``LeaderKey``."""
        await self._ask(lambda: self._store.end(session))

    async def take(self, session: str, address: str) -> int | None:
        """See ``LeaderKey``."""
        return await self._ask(lambda: self._store.take(session, address))

    async def follow(self, decide: Callable[[Holder | None], Awaitable[_T | None]]) -> _T:
        """See ``LeaderKey``."""
        while True:
            changed = self._store.changed
            holder = await self._ask(lambda: self._store.holder)
            found = await decide(holder)
            if found is not None:
                return found
            with trio.move_on_after(_POLL_SECONDS):
                await changed.wait()

    async def read(self) -> str:
        """See ``SharedText``."""
        return await self._ask(lambda: self._store.text)

    async def write(self, text: str, *, replacing: str) -> bool:
        """See ``SharedText``."""
        return await self._ask(lambda: self._store.write(text, replacing))

    async def _ask(self, work: Callable[[], _T]) -> _T:
        """Send a request over the link and return the answer.

        Raises:
            StoreError: no answer came; the request may have been carried out.
        """
        link = self._host.network.link(self._host.ip, self._store.host.ip)
        with trio.move_on_after(_PATIENCE_SECONDS):
            await link.pass_over()
            if not self._host.is_up:
                raise StoreError("this manager has ended")
            answer = work()
            if self._store.loses():
                raise StoreError("the store closed the connection")
            await link.pass_over()
            return answer
        raise StoreError(f"the store did not answer within {_PATIENCE_SECONDS:g} s")
