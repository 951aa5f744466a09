"""Sessions of Consul's: what a key can be held by, and is let go by when they end.

A session ends between its time to live and twice that after its last renewal; so half of what is
wanted is asked for, as classic does.
"""

from typing import Literal

from swarmcore.stores import StoreError
from swarmcore_discovery_consul.client import Agent

#: The flags that classic's library puts on every key; it refuses to lock a key with others.
FLAGS = 3304740253564472344

_NO_DELAY = "1ms"


async def create_session(
    agent: Agent, ttl_seconds: float, behavior: Literal["delete", "release"]
) -> str:
    """Begin a session.

    Args:
        agent: of the store.
        ttl_seconds: of the session, a second at least; the server's ``session_ttl_min`` is 10.
        behavior: what becomes of the keys that it holds when it ends.

    Returns:
        Its ID.

    Raises:
        StoreError: there is none.
    """
    created = await agent.ask(
        "PUT",
        "session/create",
        body={
            "Behavior": behavior,
            "TTL": f"{ttl_seconds:g}s",
            "LockDelay": _NO_DELAY,
            # Without a list the session would end with the health of the agent's machine.
            "Checks": [],
        },
    )
    return str(created.value["ID"])


async def renew_session(agent: Agent, session: str) -> bool:
    """Renew a session; ``False`` when it has ended.

    Raises:
        StoreError: the store does not answer, or denied the session just now though it has it: a
            server does that soon after its start.
    """
    reply = await agent.ask("PUT", f"session/renew/{session}")
    if reply.status == 200:
        return True
    found = await agent.ask("GET", f"session/info/{session}", consistent="")
    if found.value:
        raise StoreError(f"consul: session {session} is there, but was not renewed; again soon")
    return False


async def end_session(agent: Agent, session: str) -> None:
    """End a session, and let go of what it holds.

    Raises:
        StoreError: the store does not answer.
    """
    await agent.ask("PUT", f"session/destroy/{session}")
