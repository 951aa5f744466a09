"""Interfaces of discovery: finding engines, and announcing an engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from swarmcore.model import Entry


class DiscoverySink(Protocol):
    """Receives the results of a discovery."""

    def entries(self, entries: Sequence[Entry], problems: Sequence[str] = ()) -> None:
        """Replace the list of engines.

        Args:
            entries: all usable entries; an empty list means that there are no engines.
            problems: entries of the list that were skipped, each with the reason; the full list
                on every call.
        """
        ...

    def failed(self, reason: str) -> None:
        """Report that the list could not be read; the last list stays valid."""
        ...


class Discovery(Protocol):
    """Finds the engines of the cluster.

    A discovery whose list only the operator of the manager can write, such as a file on the
    manager's machine, has an attribute ``from_operator`` that is true: only then may entries have
    ``unix://`` addresses without ``--unix-engines``.
    """

    async def watch(self, sink: DiscoverySink) -> None:
        """Report the entries now and whenever they change, until cancelled.

        May return if the list can never change.  Must end promptly when cancelled.
        """
        ...


@runtime_checkable
class Registrar(Protocol):
    """A discovery in which an engine can be announced (``swarmcore join``)."""

    async def register(self, entry: Entry) -> None:
        """Announce *entry* once; the caller repeats the call at each heartbeat.

        Raises:
            SwarmError: the entry could not be announced.
        """
        ...

    async def leave(self, entry: Entry) -> None:
        """Withdraw *entry*."""
        ...


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """Options of a discovery besides its URI.

    Attributes:
        heartbeat_seconds: interval of polling or of renewing a registration.
        ttl_seconds: lifetime of a registration; 0 if the discovery only watches.
        options: keys and values of ``--discovery-opt``.
    """

    heartbeat_seconds: float = 60.0
    ttl_seconds: float = 0.0
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def hold_seconds(self) -> float:
        """How long to keep the last list if a new one is suddenly empty or may be incomplete."""
        return self.ttl_seconds or 3 * self.heartbeat_seconds


@dataclass(frozen=True, slots=True)
class DiscoveryURI:
    """A discovery URI, ``scheme://rest``; a text without a scheme has the scheme ``nodes``."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.rest}"
