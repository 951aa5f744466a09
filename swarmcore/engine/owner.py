"""The cluster as its engines see it."""

from typing import TYPE_CHECKING, Protocol

from swarmcore.engine.refresh import CacheListener
from swarmcore.engine.specs import Specs
from swarmcore.model import Event
from swarmcore.node import Node, Spanning

if TYPE_CHECKING:
    from swarmcore.engine.engine import Engine


class EngineOwner(CacheListener, Protocol):
    """The cluster, as an engine sees it.  What is synchronous is quick."""

    @property
    def spanning(self) -> Spanning:
        """What spans its engines; every node of theirs lists there."""
        ...

    def admit(self, engine: "Engine", specs: Specs) -> None:
        """*engine* has an identity now.

        Raises:
            EngineError: it may not join: another engine has that identity.
        """
        ...

    def withdraw(self, engine: "Engine") -> None:
        """*engine* gives its identity up: another may have it."""
        ...

    def described(self, engine: "Engine") -> None:
        """Its name, labels or resources may have changed."""
        ...

    def joined(self, engine: "Engine", *, again: bool) -> None:
        """It is healthy, for the first time or *again*, and its cache is complete."""
        ...

    def lost(self, engine: "Engine", reason: str) -> None:
        """It was healthy and is not."""
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
        """Something happened on it, and its cache knows."""
        ...
