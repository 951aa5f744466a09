"""The cluster as its engines see it."""

from typing import TYPE_CHECKING, Protocol

from swarmcore.engine.refresh import CacheListener
from swarmcore.engine.specs import Specs
from swarmcore.model import Event

if TYPE_CHECKING:
    from swarmcore.engine.engine import Engine


class EngineOwner(CacheListener, Protocol):
    """The cluster, as an engine sees it.  Every method is synchronous and quick."""

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

    def publish(self, event: Event) -> None:
        """Something happened on it, and its cache knows."""
        ...
