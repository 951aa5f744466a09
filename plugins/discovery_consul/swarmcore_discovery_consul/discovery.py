"""Follows the engines below a prefix by blocking queries; registers one engine by a session."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from swarmcore.protocols import DiscoveryOptions, DiscoverySink, Entry
from swarmcore.stores import Location, Report, StoreError, describe_entry, follow
from swarmcore_discovery_consul.client import Agent
from swarmcore_discovery_consul.sessions import (
    FLAGS,
    create_session,
    end_session,
    renew_session,
)

#: Duration of a blocking query; a half-open connection is noticed at its end.
_WAIT_SECONDS = 20.0


class ConsulDiscovery:
    """Implements ``Discovery`` and ``Registrar``.

    Args:
        agent: the Consul agent.
        location: the cluster's place in the store.
        options: heartbeat and time to live.
    """

    def __init__(self, agent: Agent, location: Location, options: DiscoveryOptions) -> None:
        self._agent = agent
        self._location = location
        self._options = options

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        async with self._agent.connected():
            await follow(self._watch, sink, hold_seconds=self._options.hold_seconds)

    async def _watch(self, report: Report) -> None:
        path = f"kv/{quote(self._location.nodes)}/"
        # Without "consistent", a server that has just started answers from incomplete data.
        reply = await self._agent.ask("GET", path, recurse="", consistent="")
        index = 0
        while True:
            report(_values(reply.value or []))
            # An index that decreases means that the store's data was replaced.
            index = reply.index if reply.index >= index else 0
            reply = await self._agent.ask(
                "GET", path, recurse="", index=index, wait_seconds=_WAIT_SECONDS
            )

    # ---- registering

    async def register(self, entry: Entry) -> None:
        """See ``Registrar``.  The requests are the same as those of Swarm classic's agent."""
        path = f"kv/{quote(self._location.node(entry))}"
        session = await self._session_of(path)
        if session and not await renew_session(self._agent, session):
            session = ""
        if not session:
            session = await self._acquire(path, describe_entry(entry))
        await self._agent.ask("PUT", path, text=describe_entry(entry), acquire=session, flags=FLAGS)

    async def leave(self, entry: Entry) -> None:
        """See ``Registrar``; the key is deleted with its session."""
        session = await self._session_of(f"kv/{quote(self._location.node(entry))}")
        if session:
            await end_session(self._agent, session)

    async def _session_of(self, path: str) -> str:
        """The session that holds the key: ours, possibly from a previous run for this engine."""
        reply = await self._agent.ask("GET", path, consistent="")
        return str(reply.value[0].get("Session", "")) if reply.value else ""

    async def _acquire(self, path: str, value: str) -> str:
        ttl_seconds = max(1.0, self._options.ttl_seconds / 2)
        session = await create_session(self._agent, ttl_seconds, "delete")
        got = await self._agent.ask("PUT", path, text=value, acquire=session, flags=FLAGS)
        if got.value is not True:
            await end_session(self._agent, session)
            raise StoreError(f"consul: {path} is held by another session; it is tried again")
        return session


def _values(pairs: Sequence[dict[str, Any]]) -> list[str]:
    """The values of the keys; the key of the folder itself has none."""
    return [b64decode(pair["Value"]).decode(errors="replace") for pair in pairs if pair["Value"]]
