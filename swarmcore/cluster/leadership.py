"""Whether this manager may change the cluster.  With ``--replication``, only the primary may."""

from typing import Protocol


class Leadership(Protocol):
    """The role of this manager."""

    @property
    def is_primary(self) -> bool:
        """Whether this manager is the primary."""
        ...

    @property
    def primary(self) -> str:
        """``HOST:PORT`` of the primary; empty if it is unknown or is this manager."""
        ...

    def check(self) -> None:
        """Check that this manager may place a container at this moment.

        Raises:
            Unavailable: this manager is not the primary.
        """
        ...


class SoleManager:
    """The ``Leadership`` of a manager that runs alone: it may always place."""

    is_primary = True
    primary = ""

    def check(self) -> None:
        """Do nothing: this manager may place."""
