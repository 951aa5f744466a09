"""Counters and states of the manager, for metrics and operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DiscoveryState:
    """The status of discovery.

    Attributes:
        error: why the list could not be read; empty if the last attempt succeeded.  The last list
            that was read stays valid.
        listed_at: when the last list was read, Unix seconds; 0 before the first.
        problems: entries of the last list that were skipped, each with the reason.
    """

    error: str = ""
    listed_at: float = 0.0
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """Placement decisions since the manager's start.

    Attributes:
        placed: cause (see ``DecisionRecord``) -> number of containers placed.
        refused: cause -> number of containers refused.
        rules: first word of a rule's text -> number of nodes it refused.
    """

    placed: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one kind since the manager's start.

    Attributes:
        under_way: requests being answered now, including streams and tunnels.
        answered: status -> number of answers; 499 if the client left before the answer.
        received: bytes received from clients, in bodies and tunnels.
        sent: bytes sent to clients.
    """

    under_way: int = 0
    answered: Mapping[int, int] = field(default_factory=dict)
    received: int = 0
    sent: int = 0
