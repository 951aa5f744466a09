"""What a discovery is, and the sink that it reports to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from swarmcore.model import Entry


class DiscoverySink(Protocol):
    """Where a discovery puts what it finds."""

    def entries(self, entries: Sequence[Entry], problems: Sequence[str] = ()) -> None:
        """The full list, as it is now.

        Args:
            entries: all that can be used; none means: no engines.
            problems: what else is in the list and is skipped, and why; all of it each time.
        """
        ...

    def failed(self, reason: str) -> None:
        """The list could not be read; the last good one stays in force."""
        ...


class Discovery(Protocol):
    """Knows where engines are."""

    async def watch(self, sink: DiscoverySink) -> None:
        """Report the entries, and again whenever they change, until cancelled.

        May return when the list can never change.  Must stop promptly when cancelled.
        """
        ...


@runtime_checkable
class Registrar(Protocol):
    """A discovery that engines can announce themselves to."""

    async def register(self, entry: Entry) -> None:
        """Announce *entry* once; the caller repeats it each heartbeat.

        Raises:
            SwarmError: it did not work, and why.
        """
        ...

    async def leave(self, entry: Entry) -> None:
        """Withdraw *entry*."""
        ...


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """What a discovery is told besides its URI.

    Attributes:
        heartbeat_seconds: how often to look or to renew.
        ttl_seconds: how long a registration lives; 0 when only watching.
        options: ``--discovery-opt`` keys and values.
    """

    heartbeat_seconds: float = 60.0
    ttl_seconds: float = 0.0
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def hold_seconds(self) -> float:
        """How long a list is not believed that is suddenly empty, or may be read half."""
        return self.ttl_seconds or 3 * self.heartbeat_seconds


@dataclass(frozen=True, slots=True)
class DiscoveryURI:
    """``scheme://rest``; a text without a scheme is ``nodes``."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.rest}"
