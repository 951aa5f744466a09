"""Interfaces of placement: filters with their rules, strategies and weighers."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from swarmcore.container_config import ContainerConfig
from swarmcore.node import ALL_ASPECTS, Aspect, Node


@dataclass(frozen=True, slots=True)
class Refused:
    """The nodes that one rule refused, as pairs of node and reason."""

    pairs: Sequence[tuple[Node, str]]


#: How many nodes' reasons a refusal text lists for one rule; further nodes are only counted.
_SPELLED_OUT = 3


def _default_summary(text: str, refused: Refused) -> str:
    """``constraint zone==b``, ``port 8080/tcp taken by web_1 on n3, by db on n4``."""
    told = [(node.name, reason) for node, reason in refused.pairs if reason]
    if not told:
        return text
    reasons = list(dict.fromkeys(reason for _, reason in told))
    if len(reasons) == 1:
        return f"{text} {reasons[0]}" + (f" on {told[0][0]}" if len(told) == 1 else "")
    listed = [f"{reason} on {name}" for name, reason in told[:_SPELLED_OUT]]
    more = f" and {len(told) - _SPELLED_OUT} more" if len(told) > _SPELLED_OUT else ""
    return f"{text} ({', '.join(listed)}{more})"


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on a node, compiled from one create.

    Attributes:
        text: short name of the condition: ``constraint zone==b``, ``port 8080/tcp``.
        check: node -> ``None`` if the node may take the container, otherwise the reason in a few
            words (empty if *text* says it all).  Synchronous and fast: called for each node.
        soft: whether the rule is a preference, which is dropped if no node can meet it.
        summarise: makes the text for all refusals of this rule, from *text* and the refused nodes.
            The text follows the count in ``0 of 14 nodes: 6 memory (needs 8 GiB, ...)``.
        never: called if the rule refuses every node.  Returns why none of the nodes could ever
            take the container and what would be possible, or ``None`` if a node could take it
            after other containers end (ignoring labels).  A reason makes the refusal a 409 instead
            of a 503.
        key: what *check* depends on apart from the node, such as ``("zone", "b")``.  Rules of one
            filter with equal keys must give equal answers.  With a key, the scheduler keeps the
            answers and checks a node again only after it has changed; ``None``: every node is
            checked in each decision.  A check that reads the clock, other nodes, or a node's
            networks, volumes or ties must not have a key.
        reads: the parts of a node that *check* depends on, for a rule with a key.
    """

    text: str
    check: Callable[[Node], str | None]
    soft: bool = False
    summarise: Callable[[str, Refused], str] = _default_summary
    never: Callable[[Sequence[Node]], str | None] | None = None
    key: Hashable | None = None
    reads: Collection[Aspect] = ALL_ASPECTS


class Filter(Protocol):
    """Decides which nodes may take a container."""

    #: The name for ``--filter`` and ``docker info``.  A filter named ``constraint``, ``affinity``
    #: or ``whitelist`` reads the expressions of that family.  A filter with another name declares
    #: the families it reads in an attribute ``reads``.  A create with expressions that no filter
    #: reads is refused.
    name: str

    def rules(self, config: ContainerConfig) -> Iterable[Rule]:
        """Compile the rules for one create; called once per create.

        Returns:
            The rules; empty if the filter does not apply to *config*.

        Raises:
            BadRequest: an expression in *config* is malformed; the text names it.
        """
        ...


class Strategy(Protocol):
    """Ranks the nodes that passed every rule."""

    #: The name for ``--strategy`` and ``docker info``.
    name: str

    def weigh(self, config: ContainerConfig, node: Node) -> Sequence[float]:
        """Return how good *node* is for *config*; higher is better, compared item by item.

        Called once per node that passed every rule, so the node has room for the config's claim.
        """
        ...


@runtime_checkable
class KeyedStrategy(Strategy, Protocol):
    """A strategy whose weights may be kept, so that the scheduler weighs only changed nodes."""

    #: The parts of a node that the weights depend on.
    reads: Collection[Aspect]

    def key(self, config: ContainerConfig) -> Hashable | None:
        """Return what the weights depend on apart from the node, such as the claim.

        Configs with equal keys must get equal weights; see ``Rule.key``.  ``None``: the weights for
        *config* are not kept.
        """
        ...


@dataclass(frozen=True, slots=True)
class Weigher:
    """An additional criterion for ranking nodes.

    Attributes:
        name: shown by ``explain``.
        multiplier: factor of this weigher's values, which are first scaled to 0..1 over the
            candidates; the strategy has factor 1.  ``None``: nodes are ordered by this weigher
            before the sum is considered.
        weigh: called with the config, the candidates and all considered nodes; returns one value
            per candidate, higher is better.
    """

    name: str
    multiplier: float | None
    weigh: Callable[[ContainerConfig, Sequence[Node], Sequence[Node]], Sequence[float]]
