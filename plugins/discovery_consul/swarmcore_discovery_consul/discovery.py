"""The engines below a prefix, followed by blocking queries; one engine, announced by a session."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from swarmcore.protocols import DiscoveryOptions, DiscoverySink, Entry
from swarmcore.stores import Location, Report, StoreError, describe_entry, follow
from swarmcore_discovery_consul.agent import Agent

#: A connection that is half open is noticed only when a query runs out.
_WAIT_SECONDS = 20.0

#: The flags that classic's library puts on every key; it refuses to lock a key with others.
_FLAGS = 3304740253564472344

_NO_DELAY = "1ms"


class ConsulDiscovery:
    """A ``Discovery`` and a ``Registrar``.

    Args:
        agent: of the store.
        location: of the cluster in it.
        options: heartbeat and time to live.
    """

    def __init__(self, agent: Agent, location: Location, options: DiscoveryOptions) -> None:
        self._agent = agent
        self._location = location
        self._options = options

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        await follow(self._watch, sink, hold_seconds=self._options.hold_seconds)

    async def _watch(self, report: Report) -> None:
        path = f"kv/{quote(self._location.nodes)}/"
        # A server that has just started answers other questions before it has read its log.
        reply = await self._agent.ask("GET", path, recurse="", consistent="")
        index = 0
        while True:
            report(_values(reply.value or []))
            # An index that went back belongs to another history of the store.
            index = reply.index if reply.index >= index else 0
            reply = await self._agent.ask(
                "GET", path, recurse="", index=index, wait_seconds=_WAIT_SECONDS
            )

    # ---- announcing

    async def register(self, entry: Entry) -> None:
        """See ``Registrar``.  The same steps as classic's, so that its managers see the same."""
        path = f"kv/{quote(self._location.node(entry))}"
        session = await self._session_of(path)
        if session and not await self._renew(session):
            session = ""
        if not session:
            session = await self._acquire(path, describe_entry(entry))
        await self._agent.ask(
            "PUT", path, text=describe_entry(entry), acquire=session, flags=_FLAGS
        )

    async def leave(self, entry: Entry) -> None:
        """See ``Registrar``; the key goes with its session."""
        session = await self._session_of(f"kv/{quote(self._location.node(entry))}")
        if session:
            await self._agent.ask("PUT", f"session/destroy/{session}")

    async def _session_of(self, path: str) -> str:
        """The session that holds the key: ours, also of an earlier life of this engine's."""
        reply = await self._agent.ask("GET", path, consistent="")
        return str(reply.value[0].get("Session", "")) if reply.value else ""

    async def _renew(self, session: str) -> bool:
        """Whether it lives on; just after a restart a server may deny one that it has."""
        reply = await self._agent.ask("PUT", f"session/renew/{session}")
        if reply.status == 200:
            return True
        found = await self._agent.ask("GET", f"session/info/{session}", consistent="")
        return bool(found.value)

    async def _acquire(self, path: str, value: str) -> str:
        created = await self._agent.ask(
            "PUT",
            "session/create",
            body={
                "Behavior": "delete",
                "TTL": f"{max(1, round(self._options.ttl_seconds / 2))}s",
                "LockDelay": _NO_DELAY,
                # Without a list the session would end with the health of the agent's machine.
                "Checks": [],
            },
        )
        session = str(created.value["ID"])
        got = await self._agent.ask("PUT", path, text=value, acquire=session, flags=_FLAGS)
        if got.value is not True:
            await self._agent.ask("PUT", f"session/destroy/{session}")
            raise StoreError(f"consul: {path} is held by another session; it is tried again")
        return session


def _values(pairs: Sequence[dict[str, Any]]) -> list[str]:
    """The values of the keys; the marker of the folder has none."""
    return [b64decode(pair["Value"]).decode(errors="replace") for pair in pairs if pair["Value"]]
