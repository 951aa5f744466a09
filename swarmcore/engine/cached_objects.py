"""The cache of an engine as requests use it: they have it read, or update it from an answer."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from swarmcore.engine.own_changes import OwnChanges, PendingChange, Settle
from swarmcore.engine.refresh import Refresher
from swarmcore.model import Container


class CachedObjects:
    """The cache of one engine, as requests use it; the base of ``Engine``.

    Args:
        refresher: reads the engine; may be replaced.
    """

    def __init__(self, refresher: Refresher) -> None:
        self._refresher = refresher
        self._events = OwnChanges()

    async def refresh_container(self, id: str) -> Container | None:
        """Re-read one container now; see ``protocols.Engine``."""
        return await self._refresher.container(id)

    async def refresh_containers(self) -> None:
        """Re-read the container list now, and inspect what has changed.

        Raises:
            EngineError: it could not be read.
        """
        await self._refresher.containers(full=False)

    async def refresh_images(self) -> None:
        """Re-read the image list now; see ``protocols.Engine``."""
        await self._refresher.images()

    async def refresh_networks(self) -> None:
        """Re-read the network list now; see ``protocols.Engine``."""
        await self._refresher.networks()

    async def refresh_volumes(self) -> None:
        """Re-read the volume list now; see ``protocols.Engine``."""
        await self._refresher.volumes()

    def settling(self, id: str, *verbs: str) -> Settle:
        """Have the cache show a change of a container; see ``protocols.Engine``."""
        settling = PendingChange(id, verbs, self._refresher, self._events)
        self._events.wait_for(settling)
        return settling

    async def settle_created(self, id: str, volumes: Collection[str], *, is_complete: bool) -> None:
        """Have the cache show a container that the engine has just made, and its volumes first.

        Args:
            id: the container's.
            volumes: names of those that it mounts.
            is_complete: nothing was done to it after its create.

        Raises:
            EngineError: it could not be read.
        """
        if is_complete and self._refresher.knows(id):
            return
        if is_complete:
            settling = PendingChange(id, ("create",), self._refresher, self._events)
            self._events.wait_for(settling, late=True)
            if await settling.is_told():
                return
        await self._settle_volumes(volumes)
        container = await self._refresher.container(id)
        mounts = (container.detail.get("Mounts") or ()) if container is not None else ()
        await self._settle_volumes([each["Name"] for each in mounts if each.get("Name")])

    async def _settle_volumes(self, names: Iterable[str]) -> None:
        """Have the cache show these volumes: their events may wait behind other events."""
        if any(name not in self._refresher.volume_list for name in names):
            await self._refresher.volumes()

    def acknowledge(self, container: Container) -> None:
        """Show a container that the engine acknowledged and cannot be read; see ``Refresher``."""
        self._refresher.acknowledge(container)

    def forget_container(self, id: str) -> None:
        """Drop one container from the cache; see ``protocols.Engine``."""
        self._refresher.forget(id)

    def put_network(self, document: Mapping[str, Any]) -> None:
        """Show a network that the engine has just made; see ``protocols.Engine``."""
        self._refresher.network_list.put(str(document["Id"]), document)

    def forget_network(self, id: str) -> None:
        """Drop one network from the cache; see ``protocols.Engine``."""
        self._refresher.forget_network(id)

    def put_volume(self, document: Mapping[str, Any]) -> None:
        """Show a volume that the engine has just made; see ``protocols.Engine``."""
        self._refresher.volume_list.put(str(document["Name"]), document)

    def forget_volume(self, name: str) -> None:
        """Drop one volume from the cache; see ``protocols.Engine``."""
        self._refresher.volume_list.drop(name)
