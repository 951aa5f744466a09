"""Refusals in words: how many nodes each rule refused, and whether asking again may help."""

from collections.abc import Sequence
from itertools import islice

from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.node import Node
from swarmcore.protocols import Refused, Rule

#: Classic's text for a cluster in which nothing runs.
NO_ENGINE = "No healthy node available in the cluster"
_LINE = "\n"
#: Why nothing helps is told so often; each takes a look at every node.
_MOST_REASONS = 5


def refuse(
    nodes: Sequence[Node],
    rules: Sequence[Rule],
    refusals: Sequence[tuple[Node, Rule, str]],
    classic: str = "",
) -> NoNodeFits:
    """Word a refusal: a count for each rule, the most frequent first.

    Args:
        nodes: all that were asked.
        rules: the hard ones.
        refusals: for each node the rule that refused it, and the reason.
        classic: classic's sentence, which goes before ours; empty for none.

    Returns:
        A ``NeverFits`` where some rule refuses all nodes whatever ends on them.
    """
    groups: dict[str, tuple[Rule, list[tuple[Node, str]]]] = {}
    for node, rule, reason in refusals:
        groups.setdefault(rule.text, (rule, []))[1].append((node, reason))
    largest = sorted(groups.values(), key=lambda group: -len(group[1]))
    parts = [f"{len(pairs)} {_summarise(rule, pairs)}" for rule, pairs in largest]
    head = "no node fits" if any(node.health > 0 for node in nodes) else NO_ENGINE
    text = f"{head}: 0 of {len(nodes)} nodes: {', '.join(parts)}"
    if classic and not text.startswith(classic):
        text = f"{classic}{_LINE if _LINE in classic else ': '}{text}"
    told = {node.name: f"{rule.text} {reason}".rstrip() for node, rule, reason in refusals}
    reasons = (why for rule in rules if (why := _why_never(rule, nodes)))
    never = list(islice(reasons, _MOST_REASONS))
    return NeverFits("; ".join([text, *never]), told) if never else NoNodeFits(text, told)


def _summarise(rule: Rule, pairs: Sequence[tuple[Node, str]]) -> str:
    try:
        return rule.summarise(rule.text, Refused(pairs))
    except Exception:  # words about a refusal must not replace it
        return rule.text


def _why_never(rule: Rule, nodes: Sequence[Node]) -> str | None:
    if rule.never is None:
        return None
    try:
        why = rule.never(nodes) if all(rule.check(node) is not None for node in nodes) else None
    except Exception:  # nor these
        return None
    return why if isinstance(why, str) else None
