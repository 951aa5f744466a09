"""How a placement was decided: who could take the container, who could not, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import NoNodeFits
from swarmcore.node import Node
from swarmcore.protocols.placement import Rule, Weigher


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
        added: for each weigher of the decision, in order, its value.
        score: what the strategy and the weighers give together; 0 where nothing is added to it.
    """

    node: Node
    broken: tuple[bool, ...]
    weight: tuple[float, ...]
    added: tuple[float, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """A placement or a refusal, and why.

    Attributes:
        candidates: every node that could take the container, best first.
        dropped: texts of the soft rules that the chosen node breaks.
        refusals: for each refused node the first hard rule that objects, and the reason.
        error: why there is no candidate; ``None`` when there is one.
        verdicts: node id -> what every rule says of it; empty unless the whole was asked for.
        weighers: what was added to the strategy's weights.
        about_image: where a node was preferred that lacks the image and can get it from another:
            whether it is carried, and why; else empty.
        soft: texts of the soft rules, in the order of ``Candidate.broken``.
    """

    candidates: Sequence[Candidate]
    dropped: Sequence[str]
    refusals: Sequence[tuple[Node, Rule, str]] = field(repr=False)
    error: NoNodeFits | None = None
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict, repr=False)
    weighers: Sequence[Weigher] = ()
    about_image: str = ""
    soft: Sequence[str] = ()

    @property
    def node(self) -> Node:
        """The chosen node.

        Raises:
            NoNodeFits: there is none.
        """
        if self.error is not None:
            raise self.error
        return self.candidates[0].node


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a create would have done: nothing was created, nothing is reserved.

    Attributes:
        config: what was asked for, as it would have been placed.
        decision: the whole of it, with verdicts.
        alternates: the nodes that would be tried in turn if the chosen one failed.
    """

    config: ContainerConfig
    decision: Decision
    alternates: Sequence[Node]


@dataclass(frozen=True, slots=True)
class WaitingCreate:
    """A create that waits for room.

    Attributes:
        name: the container's; empty where the manager will invent one.
        image: as the client named it.
        priority: the higher goes first.
        waited_seconds: so far.
        left_seconds: until it is refused.
        overtaken: how many were served before it that stood behind it.
    """

    name: str
    image: str
    priority: int
    waited_seconds: float
    left_seconds: float
    overtaken: int


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """What is kept of a decision.

    Attributes:
        time: Unix seconds.
        name: the container's.
        image: as the client named it.
        cause: ``create``; ``pulled`` for the create that follows a pull, which goes to the node
            that has pulled; ``alternate`` after a failure that was a node's.
        node: the chosen node's name; empty where it was refused.
        asked: how many nodes might have been chosen.
        fitting: how many of these could take it.
        refused: text of a rule -> how many nodes it refused, the most first.
        dropped: texts of the soft rules that the chosen node breaks.
        error: why it was refused; empty where it was not.
        failure: why nothing came of it on the chosen node: the pull of the image or the create
            failed there; empty where neither did.
        about_image: whether the image was to be carried to the node, and why; see ``Decision``.
        id: the container's swarm id.
    """

    time: float
    name: str
    image: str
    cause: str
    node: str = ""
    asked: int = 0
    fitting: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    dropped: Sequence[str] = ()
    error: str = ""
    failure: str = ""
    about_image: str = ""
    id: str = ""
