"""Results of a placement decision: candidates, refused nodes, and the reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import NoNodeFits
from swarmcore.node import Node
from swarmcore.protocols.placement import Rule, Weigher


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one rule for one node.

    Attributes:
        filter: the name of the filter that made the rule; ``core`` for the core's own rules.
        rule: the rule.
        reason: why the node is refused (or, for a soft rule, not preferred); empty if the rule's
            text already says it.  ``None`` if the node passes.
    """

    filter: str
    rule: Rule
    reason: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that passed every hard rule.

    Attributes:
        node: the node.
        broken: for each soft rule, in order, whether the node breaks it.
        weight: the strategy's weight; higher is better.
        added: the value of each weigher of the decision, in order.
        score: the sum of the scaled strategy and weigher values; 0 if there are no weighers.
    """

    node: Node
    broken: tuple[bool, ...]
    weight: tuple[float, ...]
    added: tuple[float, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """A placement or a refusal, with its reasons.

    Attributes:
        candidates: every node that can take the container, best first; made when they are read.
        dropped: texts of the soft rules that the chosen node breaks.
        refusals: for each refused node, the first hard rule that refused it and the reason.  If
            there is a candidate, reasons are found when they are read; those of nodes that have
            changed since may be empty.
        error: why there is no candidate; ``None`` if there is one.
        verdicts: node id -> result of every rule for that node; empty unless requested.
        weighers: the weighers that were added to the strategy.
        about_image: if the best node lacks the image and can get it from another node: whether the
            image is copied there, and why; otherwise empty.
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
            NoNodeFits: there is no candidate.
        """
        if self.error is not None:
            raise self.error
        return self.candidates[0].node


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of ``explain``: what a create would do.  Nothing is created or reserved.

    Attributes:
        config: the container's configuration, completed as for a create.
        decision: the decision, with all verdicts.
        alternates: the nodes that would be tried next, in order, if the chosen node failed.
    """

    config: ContainerConfig
    decision: Decision
    alternates: Sequence[Node]


@dataclass(frozen=True, slots=True)
class WaitingCreate:
    """A create that waits for free resources.

    Attributes:
        name: the container's name; empty if the manager will invent one.
        image: as the client named it.
        priority: higher priorities are served first.
        waited_seconds: time waited so far.
        left_seconds: time left until the create is refused.
        overtaken: how many creates that came later were served before this one.
    """

    name: str
    image: str
    priority: int
    waited_seconds: float
    left_seconds: float
    overtaken: int


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One entry of the decision log.

    Attributes:
        time: Unix seconds.
        name: the container's name.
        image: as the client named it.
        cause: ``create``; ``pulled`` for the create that follows a pull and goes to the node that
            pulled; ``alternate`` after a failure of another node; ``move`` for the copy of a
            container that is moved.
        node: name of the chosen node; empty if the create was refused.
        asked: number of nodes considered.
        fitting: number of these that could take the container.
        refused: text of a rule -> number of nodes it refused, largest first.
        dropped: texts of the soft rules that the chosen node breaks.
        error: why the create was refused; empty if it was not.
        failure: why the pull or the create failed on the chosen node; empty if neither did.
        about_image: whether the image was to be copied to the node, and why; see ``Decision``.
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
