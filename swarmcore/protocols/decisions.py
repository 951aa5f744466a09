"""How a placement was decided: who could take the container, who could not, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swarmcore.errors import NoNodeFits
from swarmcore.node import Node
from swarmcore.protocols.placement import Rule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one node.

    Attributes:
        filter: whose rule it is; ``core`` for the core's own.
        rule: it.
        reason: why the node must not, or for a soft rule should not, take the container, empty
            where the rule's text says it all; ``None`` when it may.
    """

    filter: str
    rule: Rule
    reason: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that passed every hard rule.

    Attributes:
        node: it.
        broken: for each soft rule, in order, whether the node breaks it.
        weight: the strategy's; the higher wins.
    """

    node: Node
    broken: tuple[bool, ...]
    weight: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A placement or a refusal, and why.

    Attributes:
        candidates: every node that could take the container, best first.
        dropped: texts of the soft rules that the chosen node breaks.
        refusals: for each refused node the first hard rule that objects, and the reason.
        error: why there is no candidate; ``None`` when there is one.
        verdicts: node id -> what every rule says of it; empty unless the whole was asked for.
    """

    candidates: Sequence[Candidate]
    dropped: Sequence[str]
    refusals: Sequence[tuple[Node, Rule, str]] = field(repr=False)
    error: NoNodeFits | None = None
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict, repr=False)

    @property
    def node(self) -> Node:
        """The chosen node.

        Raises:
            NoNodeFits: there is none.
        """
        if self.error is not None:
            raise self.error
        return self.candidates[0].node
