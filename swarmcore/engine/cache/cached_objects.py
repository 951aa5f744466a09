"""The part of an engine that request handlers use to refresh or update its cache."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from swarmcore.engine.cache.own_changes import OwnChanges, PendingChange, Settle
from swarmcore.engine.cache.refresh import Refresher
from swarmcore.model import Container


class CachedObjects:
    """The cache of one engine as request handlers use it; the base class of ``Engine``.

    Args:
        refresher: reads the engine; ``Engine`` replaces it when the engine's identity changes.
    """

    def __init__(self, refresher: Refresher) -> None:
        self._refresher = refresher
        self._events = OwnChanges()

    async def refresh_container(self, id: str) -> Container | None:
        """Read one container again; see ``protocols.Engine``."""
        return await self._refresher.container(id)

    async def refresh_containers(self) -> None:
        """Read the container list again, and inspect the containers that have changed.

        Raises:
            EngineError: it cannot be read.
        """
        await self._refresher.containers(full=False)

    async def refresh_images(self) -> None:
        """Read the image list again; see ``protocols.Engine``."""
        await self._refresher.images()

    async def refresh_networks(self) -> None:
        """Read the network list again; see ``protocols.Engine``."""
        await self._refresher.networks()

    async def refresh_volumes(self) -> None:
        """Read the volume list again; see ``protocols.Engine``."""
        await self._refresher.volumes()

    def settling(self, id: str, *verbs: str) -> Settle:
        """Prepare for a change of a container; see ``protocols.Engine``."""
        settling = PendingChange(id, verbs, self._refresher, self._events)
        self._events.wait_for(settling)
        return settling

    async def settle_created(self, id: str, volumes: Collection[str], *, is_complete: bool) -> None:
        """Wait until the cache shows a new container and the volumes that it mounts.

        Args:
            id: the container id.
            volumes: names of the volumes that the container mounts.
            is_complete: whether the create request was the only change; ``False`` if the container
                was connected to networks afterwards.

        Raises:
            EngineError: the container or the volume list cannot be read.
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
        things = container.facts.things if container is not None else ()
        await self._settle_volumes([name for kind, name in things if kind == "volume"])

    async def _settle_volumes(self, names: Iterable[str]) -> None:
        """Read the volume list if a volume is missing: its event may be queued behind others."""
        if any(name not in self._refresher.volume_list for name in names):
            await self._refresher.volumes()

    def acknowledge(self, container: Container) -> None:
        """Add a container that cannot be read yet; see ``Refresher.acknowledge``."""
        self._refresher.acknowledge(container)

    def forget_container(self, id: str) -> None:
        """Remove one container from the cache; see ``protocols.Engine``."""
        self._refresher.forget(id)

    def put_network(self, document: Mapping[str, Any]) -> None:
        """Add a new network to the cache; see ``protocols.Engine``."""
        self._refresher.network_list.put(str(document["Id"]), document)

    def forget_network(self, id: str) -> None:
        """Remove one network from the cache; see ``protocols.Engine``."""
        self._refresher.forget_network(id)

    def put_volume(self, document: Mapping[str, Any]) -> None:
        """Add a new volume to the cache; see ``protocols.Engine``."""
        self._refresher.volume_list.put(str(document["Name"]), document)

    def forget_volume(self, name: str) -> None:
        """Remove one volume from the cache; see ``protocols.Engine``."""
        self._refresher.volume_list.drop(name)
