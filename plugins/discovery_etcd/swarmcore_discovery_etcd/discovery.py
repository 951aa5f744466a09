"""Follows the engines below a prefix; registers one engine with a lease."""

from collections.abc import Sequence

import trio

from swarmcore.protocols import DiscoveryOptions, DiscoverySink, Entry
from swarmcore.stores import Location, Report, StoreError, describe_entry, follow
from swarmcore_discovery_etcd.client import Gateway, decode, encode, prefix_end

#: Interval of reading the list without changes, as a watch on a half-open connection is silent.
_CHECK_SECONDS = 5.0


class EtcdDiscovery:
    """Implements ``Discovery`` and ``Registrar``.

    Args:
        gateway: the store.
        location: the cluster's place in the store.
        options: heartbeat and time to live.
    """

    def __init__(self, gateway: Gateway, location: Location, options: DiscoveryOptions) -> None:
        self._gateway = gateway
        self._location = location
        self._options = options
        self._prefix = f"{location.nodes}/"
        self._lease = ""

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        async with self._gateway.connected():
            await follow(self._watch, sink, hold_seconds=self._options.hold_seconds)

    # ---- following

    async def _watch(self, report: Report) -> None:
        """Read the list now, after each change, and from time to time without one."""
        values, revision = await self._list()
        report(values)
        signals, changed = trio.open_memory_channel[None](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                self._gateway.watch,
                encode(self._prefix),
                prefix_end(self._prefix),
                revision + 1,
                signals,
            )
            while True:
                with trio.move_on_after(_CHECK_SECONDS) as check:
                    await changed.receive()
                before, (values, _) = values, await self._list()
                report(values)
                if check.cancelled_caught and values != before:
                    raise StoreError("etcd: a watch missed a change; it is opened again")

    async def _list(self) -> tuple[Sequence[str], int]:
        """The values of all keys in the order of the keys, and the store's revision."""
        found = await self._gateway.call(
            "kv/range", key=encode(self._prefix), range_end=prefix_end(self._prefix)
        )
        values = [decode(pair.get("value", "")) for pair in found.get("kvs", [])]
        return values, int(found["header"]["revision"])

    # ---- registering

    async def register(self, entry: Entry) -> None:
        """See ``Registrar``; a key that was deleted is written again."""
        key, value = encode(self._location.node(entry)), encode(describe_entry(entry))
        put = {"key": key, "value": value}
        if await self._keep_alive():
            absent = {"key": key, "target": "CREATE", "result": "EQUAL", "create_revision": "0"}
            renewed = {"request_put": {**put, "lease": self._lease}}
            await self._gateway.call("kv/txn", compare=[absent], success=[renewed])
            return
        granted = await self._gateway.call(
            "lease/grant", TTL=str(max(1, round(self._options.ttl_seconds)))
        )
        await self._gateway.call("kv/put", **put, lease=granted["ID"])
        self._lease = granted["ID"]

    async def leave(self, entry: Entry) -> None:
        """See ``Registrar``."""
        if self._lease:
            await self._gateway.call("lease/revoke", ID=self._lease)
            self._lease = ""

    async def _keep_alive(self) -> bool:
        """Whether the lease still exists; an expired one is answered without a time to live."""
        if not self._lease:
            return False
        answer = await self._gateway.call("lease/keepalive", ID=self._lease)
        return int(answer.get("result", {}).get("TTL", 0)) > 0
