"""The leader's key: held by one session at a time, as classic's lock holds it.

Classic's managers and ours exclude each other, and know who leads.
"""

from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import trio

from swarmcore.protocols import Leader
from swarmcore.stores import Location
from swarmcore_discovery_consul.agent import Agent
from swarmcore_discovery_consul.sessions import (
    FLAGS,
    create_session,
    end_session,
    renew_session,
)

_T = TypeVar("_T")

#: A query whose connection is half open is silent: the key is read again after this part of the
#: time to live, else a stuck query would leave no leader at all.
_LOOK_AGAIN = 1 / 4

#: Of a blocking query, which is not waited for that long.
_WAIT_SECONDS = 20.0

#: A key whose holder has ended can be held by nobody for a moment: at least the lock delay.
_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """The leader's key as it was read; *term* grows with each holder, also of a new key."""

    address: str
    session: str
    term: int


class ConsulSeat:
    """A ``Seat``.

    Args:
        agent: of the store.
        location: of the cluster in it.
        ttl_seconds: how long a leader that went silent leads on, at most; two seconds at least.
    """

    def __init__(self, agent: Agent, location: Location, ttl_seconds: float) -> None:
        self._agent = agent
        self._path = f"kv/{quote(location.leader)}"
        self._session_seconds = max(1.0, ttl_seconds / 2)

    async def open(self, candidate: str) -> "ConsulSession":
        """See ``Seat``."""
        session = await create_session(self._agent, self._session_seconds, "release")
        return ConsulSession(self, self._agent, session, self._session_seconds, candidate)

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        """See ``Seat``."""

        async def tell(held: Held | None) -> None:
            report(Leader(held.address, held.term) if held else None)

        await self.follow(tell)

    async def hold(self, session: str, value: str) -> bool:
        """Have *session* hold the key, if nobody does."""
        reply = await self._agent.ask("PUT", self._path, text=value, acquire=session, flags=FLAGS)
        return reply.value is True

    async def read(self) -> Held | None:
        """Who holds the key now."""
        return (await self._read())[0]

    async def follow(self, decide: Callable[[Held | None], Awaitable[_T | None]]) -> _T:
        """Show the key to *decide*, now, after each change and now and then, until it has decided.

        Raises:
            StoreError: the store does not answer.
        """
        while True:
            held, index = await self._read()
            if (decision := await decide(held)) is not None:
                return decision
            with trio.move_on_after(self._session_seconds * 2 * _LOOK_AGAIN):
                if not index:
                    await trio.sleep_forever()
                await self._agent.ask("GET", self._path, index=index, wait_seconds=_WAIT_SECONDS)

    async def _read(self) -> tuple[Held | None, int]:
        """Who holds the key, and the index to wait with for a change."""
        # A server that has just started answers other questions before it has read its log.
        reply = await self._agent.ask("GET", self._path, consistent="")
        for pair in reply.value or []:
            if session := pair.get("Session"):
                address = b64decode(pair["Value"] or "").decode(errors="replace")
                # The count of holders begins anew with a key that was deleted and made again.
                term = (pair["CreateIndex"] << 20) + pair["LockIndex"]
                return Held(address, session, term), reply.index
        return None, reply.index


class ConsulSession:
    """A ``Session``.

    Args:
        seat: what it stands for.
        agent: of the store.
        session: its ID.
        ttl_seconds: how long the store keeps it at least.
        candidate: who stands.
    """

    def __init__(
        self, seat: ConsulSeat, agent: Agent, session: str, ttl_seconds: float, candidate: str
    ) -> None:
        self.ttl_seconds = ttl_seconds
        self._seat = seat
        self._agent = agent
        self._session = session
        self._candidate = candidate

    async def renew(self) -> bool:
        """See ``Session``."""
        return await renew_session(self._agent, self._session)

    async def acquire(self) -> int:
        """See ``Session``."""

        async def take(held: Held | None) -> int | None:
            while held is None:
                if not await self._seat.hold(self._session, self._candidate):
                    await trio.sleep(_AGAIN_SECONDS)
                held = await self._seat.read()
            # Ours already, when the answer to an earlier attempt was lost.
            return held.term if held.session == self._session else None

        return await self._seat.follow(take)

    async def wait_lost(self) -> None:
        """See ``Session``."""

        async def is_lost(held: Held | None) -> bool | None:
            return held is None or held.session != self._session or None

        await self._seat.follow(is_lost)

    async def release(self) -> None:
        """See ``Session``."""
        await end_session(self._agent, self._session)
