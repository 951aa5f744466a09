"""The leader's key: created by whoever finds it absent, gone with its creator's lease."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import trio

from swarmcore.protocols import Leader
from swarmcore.stores import StoreError
from swarmcore_discovery_etcd.gateway import Gateway, decode, encode

_T = TypeVar("_T")

#: A watch whose connection is half open is silent: the key is read again after this part of the
#: time to live, else a stuck watch would leave no leader at all.
_LOOK_AGAIN = 1 / 4


@dataclass(frozen=True, slots=True)
class Held:
    """The leader's key as it was read: ``create_revision`` grows with each holder."""

    address: str
    lease: str
    term: int


class EtcdSeat:
    """A ``Seat``.

    Args:
        gateway: to the store.
        key: the leader's.
        ttl_seconds: how long a leader that went silent leads on; whole seconds, one at least.
    """

    def __init__(self, gateway: Gateway, key: str, ttl_seconds: float) -> None:
        self._gateway = gateway
        self._key = encode(key)
        self._ttl_seconds = max(1, round(ttl_seconds))

    async def open(self, candidate: str) -> "EtcdSession":
        """See ``Seat``."""
        granted = await self._gateway.call("lease/grant", TTL=str(self._ttl_seconds))
        # A server may grant more than was asked: not less than its own election takes.
        return EtcdSession(self, self._gateway, granted["ID"], int(granted["TTL"]), candidate)

    async def watch(self, report: Callable[[Leader | None], None]) -> None:
        """See ``Seat``."""

        async def tell(held: Held | None) -> None:
            report(Leader(held.address, held.term) if held else None)

        await self.follow(tell)

    async def create(self, value: str, lease: str) -> int | None:
        """Create the key; its term, or ``None`` when it is there."""
        absent = {
            "key": self._key,
            "target": "CREATE",
            "result": "EQUAL",
            "create_revision": "0",
        }
        put = {"key": self._key, "value": encode(value), "lease": lease}
        answer = await self._gateway.call(
            "kv/txn", compare=[absent], success=[{"request_put": put}]
        )
        return int(answer["header"]["revision"]) if answer.get("succeeded") else None

    async def follow(self, decide: Callable[[Held | None], Awaitable[_T | None]]) -> _T:
        """Show the key to *decide*, now, after each change and now and then, until it has decided.

        Raises:
            StoreError: perhaps in a group.
        """
        held, revision = await self._read()
        signals, changed = trio.open_memory_channel[None](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._signal_changes, revision + 1, signals)
            while (decision := await decide(held)) is None:
                with trio.move_on_after(self._ttl_seconds * _LOOK_AGAIN):
                    await changed.receive()
                held, _ = await self._read()
            nursery.cancel_scope.cancel()
        return decision

    async def _read(self) -> tuple[Held | None, int]:
        found = await self._gateway.call("kv/range", key=self._key)
        revision = int(found["header"]["revision"])
        for pair in found.get("kvs", []):
            address = decode(pair.get("value", ""))
            return Held(address, pair.get("lease", ""), int(pair["create_revision"])), revision
        return None, revision

    async def _signal_changes(self, revision: int, signals: trio.MemorySendChannel[None]) -> None:
        def take(result: dict[str, Any]) -> None:
            if result.get("canceled"):
                raise StoreError("etcd: the watch was cancelled; the leader is read again")
            if result.get("events"):
                with suppress(trio.WouldBlock):  # a key that is still to be read will show it
                    signals.send_nowait(None)

        request = {"key": self._key, "start_revision": str(revision)}
        await self._gateway.stream("watch", take, create_request=request)
        raise StoreError("etcd: the watch ended; the leader is read again")


class EtcdSession:
    """A ``Session``: a lease.

    Args:
        seat: what it stands for.
        gateway: to the store.
        lease: its number, as etcd writes it.
        ttl_seconds: as granted.
        candidate: who stands.
    """

    def __init__(
        self, seat: EtcdSeat, gateway: Gateway, lease: str, ttl_seconds: float, candidate: str
    ) -> None:
        self.ttl_seconds = ttl_seconds
        self._seat = seat
        self._gateway = gateway
        self._lease = lease
        self._candidate = candidate

    async def renew(self) -> bool:
        """See ``Session``; a dead lease answers without a time to live."""
        answer = await self._gateway.call("lease/keepalive", ID=self._lease)
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    async def acquire(self) -> int:
        """See ``Session``."""

        async def take(held: Held | None) -> int | None:
            if held is None:
                return await self._seat.create(self._candidate, self._lease)
            # Ours already, when the answer to an earlier attempt was lost.
            return held.term if held.lease == self._lease else None

        return await self._seat.follow(take)

    async def wait_lost(self) -> None:
        """See ``Session``."""

        async def is_lost(held: Held | None) -> bool | None:
            return held is None or held.lease != self._lease or None

        await self._seat.follow(is_lost)

    async def release(self) -> None:
        """See ``Session``."""
        await self._gateway.call("lease/revoke", ID=self._lease)
