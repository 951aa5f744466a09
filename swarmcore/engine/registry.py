"""What an engine asks and tells the cluster that it belongs to."""

from typing import Protocol, TypeVar

from swarmcore.engine.refresh import CacheListener
from swarmcore.engine.specs import Specs
from swarmcore.model import Event
from swarmcore.node import Node, Spanning

#: The type of the engines.
E = TypeVar("E", contravariant=True)


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
