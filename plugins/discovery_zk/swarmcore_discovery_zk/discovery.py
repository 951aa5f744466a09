"""Follows the engines below a znode by watches; registers one engine by an ephemeral znode."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import trio
from kazoo.exceptions import NodeExistsError, NoNodeError

from swarmcore.protocols import DiscoveryOptions, DiscoverySink, Entry
from swarmcore.stores import Location, Report, StoreError, describe_entry, follow
from swarmcore_discovery_zk.session import Session, connect

#: Time to live of the session of a watcher, which holds nothing.
_WATCH_TTL_SECONDS = 10.0

#: Pause before reading, so that many engines that join at once cause few reads of the list.
_SETTLE_SECONDS = 0.02


class ZooKeeperDiscovery:
    """Implements ``Discovery`` and ``Registrar``.

    Args:
        location: the cluster's place in the store.
        options: heartbeat and time to live.
    """

    def __init__(self, location: Location, options: DiscoveryOptions) -> None:
        self._location = location
        self._options = options
        self._session: Session | None = None

    async def watch(self, sink: DiscoverySink) -> None:
        """See ``Discovery``."""
        await follow(self._watch, sink, hold_seconds=self._options.hold_seconds)

    # ---- following

    async def _watch(self, report: Report) -> None:
        session = await connect(self._location, _WATCH_TTL_SECONDS)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.fail_when_lost)
                await self._report_changes(session, report)
        finally:
            await session.aclose()

    async def _report_changes(self, session: Session, report: Report) -> None:
        signals, changed = trio.open_memory_channel[None](1)

        def signal() -> None:
            with suppress(trio.WouldBlock):  # a read is pending already and will show the change
                signals.send_nowait(None)

        # One watcher object for all: kazoo registers each object only once.
        wake = session.waker(signal)
        await session.call("ensure_path", f"/{self._location.nodes}")
        while True:
            report(await self._list(session, wake))
            await changed.receive()
            await trio.sleep(_SETTLE_SECONDS)

    async def _list(self, session: Session, wake: Callable[[object], None]) -> Sequence[str]:
        """The data of all znodes, in the order of their names."""
        folder = f"/{self._location.nodes}"
        names = await session.call("get_children", folder, watch=wake)
        found: dict[str, str] = {}

        async def read(name: str) -> None:
            with suppress(NoNodeError):  # deleted meanwhile; the watch reports that
                data, _ = await session.call("get", f"{folder}/{name}", watch=wake)
                found[name] = data.decode(errors="replace")

        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(read, name)
        return [found[name] for name in sorted(found)]

    # ---- registering

    async def register(self, entry: Entry) -> None:
        """See ``Registrar``; the znode exists as long as the session, which kazoo keeps alive."""
        session = await self._live_session()
        path, data = f"/{self._location.node(entry)}", describe_entry(entry).encode()
        stat = await session.call("exists", path)
        if stat is not None and stat.ephemeralOwner == session.id:
            return
        if stat is not None:
            # From a previous run: it would be deleted when its session expires.
            with suppress(NoNodeError):
                await session.call("delete", path)
        try:
            await session.call("create", path, data, ephemeral=True, makepath=True)
        except NodeExistsError:
            raise StoreError(
                f"zk: {path} is being announced by another; is it {entry.address}?"
            ) from None

    async def leave(self, entry: Entry) -> None:
        """See ``Registrar``; the znode is deleted with the session."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.aclose()

    async def _live_session(self) -> Session:
        if self._session is not None and self._session.lost.is_set():
            session, self._session = self._session, None
            await session.aclose()
        if self._session is None:
            self._session = await connect(self._location, self._options.ttl_seconds)
        return self._session
