"""What an engine asks and tells the cluster that it belongs to."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol, TypeVar

from swarmcore.engine.documents import Stale
from swarmcore.engine.specs import Specs
from swarmcore.model import Container, Event
from swarmcore.node import Node, Spanning

#: The type of the engines.
E = TypeVar("E", contravariant=True)


class CacheListener(Protocol):
    """Is told of every container that enters, changes or leaves an engine's cache."""

    def container_put(self, container: Container) -> None:
        """*container* is new, or replaces an older state of the same id."""
        ...

    def container_dropped(self, container: Container) -> None:
        """The engine no longer has it."""
        ...

    def images_read(
        self, node: Node, images: Mapping[str, Mapping[str, Any]], *, live: bool
    ) -> None:
        """The engine's list of images was read.

        Args:
            node: the engine's; shows the images already.
            images: id -> its object in ``GET /images/json``, as the engine told.
            live: what is new in it came about just now, by an event or by a request of ours.
        """
        ...

    async def settle_image_names(self, node: Node) -> None:
        """Find out, within seconds, which image each name means where the list that was just read
        and other engines' lists disagree."""
        ...

    def spanning_changed(self, node: Node, keys: Collection[str], stale: Stale) -> None:
        """Spanning networks or volumes entered or left the lists of *node*.

        Args:
            node: the engine's.
            keys: network ids or volume names; those of a swarm are left out, for all its managers
                send events of them.
            stale: says which list it is.
        """
        ...


class EngineRegistry(CacheListener, Protocol[E]):
    """The cluster, as an engine sees it.  Synchronous methods must be quick."""

    @property
    def spanning(self) -> Spanning:
        """The networks and volumes that span engines; every node lists its own there."""
        ...

    def admit(self, engine: E, specs: Specs) -> None:
        """*engine* has an identity now, and asks to join.

        Raises:
            EngineError: it may not join: another engine has that identity.
        """
        ...

    def withdraw(self, engine: E) -> None:
        """*engine* gives its identity up: another engine may have it."""
        ...

    def described(self, engine: E) -> None:
        """The name, labels or resources of *engine* may have changed."""
        ...

    def joined(self, engine: E, *, again: bool) -> None:
        """*engine* is healthy, for the first time or *again*, and its cache is complete."""
        ...

    def lost(self, engine: E, reason: str) -> None:
        """*engine* was healthy and is not any more."""
        ...

    def image_named(self, name: str, image_id: str, node: Node) -> None:
        """The engine says that it gave an image name just now; its cache knows.

        Args:
            name: as the engine writes it.
            image_id: to which image; empty where it does not say.
            node: whose engine.
        """
        ...

    def publish(self, event: Event) -> None:
        """Something happened on an engine, and its cache knows."""
        ...
