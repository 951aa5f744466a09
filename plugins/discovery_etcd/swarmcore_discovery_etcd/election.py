"""The leader's key: created if it does not exist, deleted when the lease of its creator ends."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import trio

from swarmcore.stores import Holder
from swarmcore_discovery_etcd.client import Gateway, decode, encode

_T = TypeVar("_T")

#: A watch on a half-open connection is silent, so the key is read again after this fraction of the
#: time to live; otherwise there could be no leader at all.
_LOOK_AGAIN = 1 / 4


class EtcdKey:
    """Implements ``LeaderKey``; a session is a lease, a term the revision that created the key.

    Args:
        gateway: the store.
        key: the leader's key.
        ttl_seconds: how long a silent leader keeps leading; rounded to whole seconds, at least 1.
    """

    def __init__(self, gateway: Gateway, key: str, ttl_seconds: float) -> None:
        self._gateway = gateway
        self._key = encode(key)
        self._ttl_seconds = max(1, round(ttl_seconds))

    def connected(self) -> AbstractAsyncContextManager[None]:
        """See ``LeaderKey``."""
        return self._gateway.connected()

    async def open(self) -> tuple[str, float]:
        """See ``LeaderKey``."""
        granted = await self._gateway.call("lease/grant", TTL=str(self._ttl_seconds))
        # A server may grant a longer time, at least that of its own elections.
        return granted["ID"], int(granted["TTL"])

    async def renew(self, session: str) -> bool:
        """See ``LeaderKey``; an expired lease is answered without a time to live."""
        answer = await self._gateway.call("lease/keepalive", ID=session)
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    async def end(self, session: str) -> None:
        """See ``LeaderKey``."""
        await self._gateway.call("lease/revoke", ID=session)

    async def take(self, session: str, address: str) -> int | None:
        """See ``LeaderKey``: create the key unless it exists."""
        absent = {
            "key": self._key,
            "target": "CREATE",
            "result": "EQUAL",
            "create_revision": "0",
        }
        put = {"key": self._key, "value": encode(address), "lease": session}
        answer = await self._gateway.call(
            "kv/txn", compare=[absent], success=[{"request_put": put}]
        )
        return int(answer["header"]["revision"]) if answer.get("succeeded") else None

    async def follow(self, decide: Callable[[Holder | None], Awaitable[_T | None]]) -> _T:
        """See ``LeaderKey``."""
        holder, revision = await self._read()
        signals, changed = trio.open_memory_channel[None](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._gateway.watch, self._key, "", revision + 1, signals)
            while (decision := await decide(holder)) is None:
                with trio.move_on_after(self._ttl_seconds * _LOOK_AGAIN):
                    await changed.receive()
                holder, _ = await self._read()
            nursery.cancel_scope.cancel()
        return decision

    async def _read(self) -> tuple[Holder | None, int]:
        """The holder of the key, and the store's revision."""
        found = await self._gateway.call("kv/range", key=self._key)
        revision = int(found["header"]["revision"])
        for pair in found.get("kvs", []):
            address = decode(pair.get("value", ""))
            return Holder(address, pair.get("lease", ""), int(pair["create_revision"])), revision
        return None, revision
