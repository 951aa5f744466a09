"""Consul's sessions, which hold keys until they end.

A session ends after its time to live at the earliest and twice that at the latest; so half of the
wanted time is requested, as Swarm classic does.
"""

from typing import Literal

from swarmcore.stores import StoreError
from swarmcore_discovery_consul.client import Agent

#: The flags that the library of Swarm classic sets on keys; it refuses to lock keys with others.
FLAGS = 3304740253564472344

_NO_DELAY = "1ms"


async def create_session(
    agent: Agent, ttl_seconds: float, behavior: Literal["delete", "release"]
) -> str:
    """Begin a session.

    Args:
        agent: the Consul agent.
        ttl_seconds: time to live of the session, at least one second; the default of the server's
            ``session_ttl_min`` is 10.
        behavior: what happens to the keys that the session holds when it ends.

    Returns:
        The session's id.

    Raises:
        StoreError: the session cannot be created.
    """
    created = await agent.ask(
        "PUT",
        "session/create",
        body={
            "Behavior": behavior,
            "TTL": f"{ttl_seconds:g}s",
            "LockDelay": _NO_DELAY,
            # By default, a session would end when the agent's machine is unhealthy.
            "Checks": [],
        },
    )
    return str(created.value["ID"])


async def renew_session(agent: Agent, session: str) -> bool:
    """Renew a session; ``False`` if it has ended.

    Raises:
        StoreError: the store does not answer, or denies an existing session, as a server does
            shortly after its start.
    """
    reply = await agent.ask("PUT", f"session/renew/{session}")
    if reply.status == 200:
        return True
    found = await agent.ask("GET", f"session/info/{session}", consistent="")
    if found.value:
        raise StoreError(f"consul: session {session} is there, but was not renewed; again soon")
    return False


async def end_session(agent: Agent, session: str) -> None:
    """End a session and free what it holds.

    Raises:
        StoreError: the store does not answer.
    """
    await agent.ask("PUT", f"session/destroy/{session}")
