"""What filters and strategies are, and the rules that filters compile."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from swarmcore.container_config import ContainerConfig
from swarmcore.node import Node


@dataclass(frozen=True, slots=True)
class Refused:
    """Nodes that one rule refused, for wording the refusal: pairs of node and reason."""

    pairs: Sequence[tuple[Node, str]]


#: Nodes whose own reasons a refusal spells out for one rule; the others are counted.
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
    """One condition on the node, compiled from one create.

    Attributes:
        text: what is asked, short: ``constraint zone==b``, ``port 8080/tcp``.
        check: node -> ``None`` when it may take the container, else the reason in a few words,
            empty when *text* says it all.  Synchronous and quick: it runs once per node.
        soft: a preference: dropped when no node can meet it.
        summarise: words all refusals of this rule: its text and who was refused -> the text that
            follows the count in ``0 of 14 nodes: 6 memory (needs 8 GiB, ...)``.
        never: asked when the rule refuses every node of a refused create: the nodes -> why none of
            them ever could take it, and what could be had; ``None`` when one could once
            containers end, labels aside.  That makes the refusal a 409 instead of a 503.
    """

    text: str
    check: Callable[[Node], str | None]
    soft: bool = False
    summarise: Callable[[str, Refused], str] = _default_summary
    never: Callable[[Sequence[Node]], str | None] | None = None


class Filter(Protocol):
    """Decides which nodes may take a container."""

    #: What ``--filter`` calls it, and what ``info`` lists.  A filter called ``constraint``,
    #: ``affinity`` or ``whitelist`` reads the expressions of that family; one with another name
    #: says so by an attribute ``reads``, the families' names.  A create with expressions that no
    #: filter reads is refused.
    name: str

    def rules(self, config: ContainerConfig) -> Iterable[Rule]:
        """Compile a config into rules, once per create; none when the filter does not care.

        Raises:
            BadRequest: an expression in the config is malformed; the text names it.
        """
        ...


class Strategy(Protocol):
    """Prefers one node over another."""

    #: What ``--strategy`` calls it, and what ``info`` lists.
    name: str

    def weigh(self, config: ContainerConfig, node: Node) -> Sequence[float]:
        """How good *node* is for *config*; the higher weight wins, compared item by item.

        Called once per node that passed every rule; the node has room for the config's claim.
        """
        ...


@dataclass(frozen=True, slots=True)
class Weigher:
    """Something that is added to the strategy's weights.

    Attributes:
        name: for explanations.
        multiplier: how much it counts beside the strategy, which counts once, when the values of
            the candidates are scaled to 0..1; ``None``: it decides before all that is added up.
        weigh: the config, the candidates and all nodes that were asked -> for each candidate a
            value; the higher, the better.
    """

    name: str
    multiplier: float | None
    weigh: Callable[[ContainerConfig, Sequence[Node], Sequence[Node]], Sequence[float]]
