"""Whether this manager may change the cluster: always, unless it is one of several."""

from typing import Protocol


class Leadership(Protocol):
    """What the cluster knows of other managers."""

    @property
    def is_primary(self) -> bool:
        """Whether this manager is the one that places."""
        ...

    @property
    def primary(self) -> str:
        """Where the primary is, ``HOST:PORT``; empty when that is unknown, or this manager."""
        ...

    def check(self) -> None:
        """Make sure that this manager may place at this very moment.

        Raises:
            Unavailable: it is not the primary, or not any more.
        """
        ...


class SoleManager:
    """The ``Leadership`` of a manager without others."""

    is_primary = True
    primary = ""

    def check(self) -> None:
        """Nobody else places."""
