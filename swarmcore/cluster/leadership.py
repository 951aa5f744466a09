"""Whether this manager may change the cluster: always, unless it is one of several."""

from typing import Protocol


class Leadership(Protocol):
    """Whether this manager leads, where it is one of several."""

    @property
    def is_primary(self) -> bool:
        """Whether this manager is the one that places."""
        ...

    @property
    def primary(self) -> str:
        """The primary's ``HOST:PORT``; empty while unknown, and where it is this manager."""
        ...

    def check(self) -> None:
        """Make sure that this manager may place at this very moment.

        Raises:
            Unavailable: it is not the primary, or not any more.
        """
        ...


class SoleManager:
    """The ``Leadership`` of a manager that is the only one."""

    is_primary = True
    primary = ""

    def check(self) -> None:
        """Return: no other manager places."""
