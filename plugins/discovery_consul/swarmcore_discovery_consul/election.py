"""The leader's key, which one session at a time holds, as with Swarm classic's lock.

Classic's managers and ours exclude each other, and know the leader.
"""

from base64 import b64decode
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from urllib.parse import quote

import trio

from swarmcore.stores import Holder, Location
from swarmcore_discovery_consul.client import Agent
from swarmcore_discovery_consul.sessions import (
    FLAGS,
    create_session,
    end_session,
    renew_session,
)

_T = TypeVar("_T")

#: A query on a half-open connection gets no answer, so the key is read again after this fraction
#: of the time to live; otherwise there could be no leader at all.
_LOOK_AGAIN = 1 / 4

#: Duration of a blocking query as requested; the manager stops waiting earlier.
_WAIT_SECONDS = 20.0

#: Pause before trying again, as a key cannot be taken during the lock delay of its last holder.
_AGAIN_SECONDS = 0.05


class ConsulKey:
    """Implements ``LeaderKey``; terms grow even if the key was deleted and created again.

    Args:
        agent: the Consul agent.
        location: the cluster's place in the store.
        ttl_seconds: upper limit of the time that a silent leader keeps leading; at least 2.
    """

    def __init__(self, agent: Agent, location: Location, ttl_seconds: float) -> None:
        self._agent = agent
        self._path = f"kv/{quote(location.leader)}"
        self._session_seconds = max(1.0, ttl_seconds / 2)

    def connected(self) -> AbstractAsyncContextManager[None]:
        """See ``LeaderKey``."""
        return self._agent.connected()

    async def open(self) -> tuple[str, float]:
        """See ``LeaderKey``."""
        session = await create_session(self._agent, self._session_seconds, "release")
        return session, self._session_seconds

    async def renew(self, session: str) -> bool:
        """See ``LeaderKey``."""
        return await renew_session(self._agent, session)

    async def end(self, session: str) -> None:
        """See ``LeaderKey``."""
        await end_session(self._agent, session)

    async def take(self, session: str, address: str) -> int | None:
        """See ``LeaderKey``."""
        holder = None
        while holder is None:
            reply = await self._agent.ask(
                "PUT", self._path, text=address, acquire=session, flags=FLAGS
            )
            if reply.value is not True:
                await trio.sleep(_AGAIN_SECONDS)
            holder, _ = await self._read()
        return holder.term if holder.session == session else None

    async def follow(self, decide: Callable[[Holder | None], Awaitable[_T | None]]) -> _T:
        """See ``LeaderKey``."""
        while True:
            holder, index = await self._read()
            if (decision := await decide(holder)) is not None:
                return decision
            with trio.move_on_after(self._session_seconds * 2 * _LOOK_AGAIN):
                if not index:
                    await trio.sleep_forever()
                await self._agent.ask("GET", self._path, index=index, wait_seconds=_WAIT_SECONDS)

    async def _read(self) -> tuple[Holder | None, int]:
        """The holder of the key, and the index to wait for a change with."""
        # Without "consistent", a server that has just started answers from incomplete data.
        reply = await self._agent.ask("GET", self._path, consistent="")
        for pair in reply.value or []:
            if session := pair.get("Session"):
                address = b64decode(pair["Value"] or "").decode(errors="replace")
                # LockIndex starts at 0 again when the key is deleted and created again.
                term = (pair["CreateIndex"] << 20) + pair["LockIndex"]
                return Holder(address, session, term), reply.index
        return None, reply.index
