"""Interface between an engine and the cluster that it belongs to."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol, TypeVar

from swarmcore.engine.cache.documents import Stale
from swarmcore.engine.specs import Specs
from swarmcore.model import Container, Event
from swarmcore.node import Node, Spanning

#: The engine type.
E = TypeVar("E", contravariant=True)


class CacheListener(Protocol):
    """Notified of changes of an engine's cache."""

    def container_put(self, container: Container) -> None:
        """*container* is new, or replaces an older state with the same id."""
        ...

    def container_dropped(self, container: Container) -> None:
        """The engine no longer has *container*."""
        ...

    def images_read(
        self, node: Node, images: Mapping[str, Mapping[str, Any]], *, live: bool
    ) -> None:
        """The engine's image list was read.

        Args:
            node: the engine's node, which already has the new list.
            images: id -> its object in ``GET /images/json``.
            live: whether changes in the list happened just now, by an event or a request of ours.
        """
        ...

    async def settle_image_names(self, node: Node) -> None:
        """Determine which image each name refers to if *node*'s new list disagrees with the lists
        of other engines; takes seconds at most."""
        ...

    def spanning_changed(self, node: Node, keys: Collection[str], stale: Stale) -> None:
        """Networks or volumes that span engines appeared in or disappeared from *node*'s lists.

        Args:
            node: the engine's node.
            keys: network ids or volume names.  Networks of a swarm are left out, as all managers
                of the swarm send events about them.
            stale: the list that other engines must read again.
        """
        ...


class EngineRegistry(CacheListener, Protocol[E]):
    """The cluster as an engine uses it.  Synchronous methods return quickly."""

    @property
    def spanning(self) -> Spanning:
        """The networks and volumes that span engines, collected from all nodes."""
        ...

    def adopt(self, node: Node) -> None:
        """Prepare the new, empty node of an engine: its changes count as those of the cluster."""
        ...

    def admit(self, engine: E, specs: Specs) -> None:
        """Admit *engine*, whose identity has just been read.

        Raises:
            EngineError: another engine has the same identity.
        """
        ...

    def withdraw(self, engine: E) -> None:
        """Release the identity of *engine*."""
        ...

    def described(self, engine: E) -> None:
        """The name, labels or resources of *engine* may have changed."""
        ...

    async def clear_duplicates(self, engine: E) -> None:
        """Remove containers of which another engine has a copy, before *engine* is healthy.

        Raises:
            EngineError: it failed; *engine* must not become healthy.
        """
        ...

    def joined(self, engine: E, *, again: bool) -> None:
        """*engine* is healthy, for the first time or *again*, and its cache is complete."""
        ...

    def lost(self, engine: E, reason: str) -> None:
        """*engine* was healthy and no longer is."""
        ...

    def image_named(self, name: str, image_id: str, node: Node) -> None:
        """The engine reported that it gave an image name just now; its cache is up to date.

        Args:
            name: as the engine writes it.
            image_id: the image; empty if the engine does not say.
            node: the engine's node.
        """
        ...

    def publish(self, event: Event) -> None:
        """Publish an event of an engine; its cache is up to date."""
        ...
