"""What a manager counts of itself: for metrics, and for who asks what it is doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DiscoveryState:
    """How discovery does.

    Attributes:
        error: why the list could not be read, empty when the last attempt was good; the last list
            stays in force.
        listed_at: when the last list came, Unix seconds; 0 before the first.
        problems: what is in the last list and is skipped, and why.
    """

    error: str = ""
    listed_at: float = 0.0
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """Decisions on containers since the manager's start.

    Attributes:
        placed: cause (see ``DecisionRecord``) -> how many found a node.
        refused: cause -> how many did not.
        rules: first word of a rule's text -> how many nodes it kept from a container.
    """

    placed: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one kind since the manager's start.

    Attributes:
        under_way: how many are being answered, streams and tunnels among them.
        answered: status -> how many were; 499 where the client left before there was one.
        received: bytes of bodies and tunnels that clients sent.
        sent: bytes that clients were sent.
    """

    under_way: int = 0
    answered: Mapping[int, int] = field(default_factory=dict)
    received: int = 0
    sent: int = 0
