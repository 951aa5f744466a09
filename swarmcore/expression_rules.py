"""Makes rules from expressions, for the filters constraint, affinity and whitelist."""

import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from swarmcore.expressions import Expression
from swarmcore.node import Aspect, Node
from swarmcore.protocols import Rule

#: How many known keys a refusal lists if none resembles the unknown key.
_MOST_NAMED = 12


def expression_rule(
    family: str,
    expression: Expression,
    holds: Callable[[Expression, Node], bool],
    keys: Callable[[Node], Collection[str]] | None = None,
    *,
    reads: Collection[Aspect] | None = None,
) -> Rule:
    """A rule that *expression* holds; soft if the expression is soft.

    Args:
        family: the name in refusals, such as ``constraint``.
        expression: the parsed expression.
        holds: whether the expression holds for a node.
        keys: returns all valid keys of a node, if they are known.  A refusal then reports a key
            that no node has, with the most similar key.
        reads: the parts of a node that *holds* depends on, so that verdicts can be kept; ``None``:
            they are not kept.  See ``Rule.key``; the rule's key is the expression, so all rules of
            one filter with equal expressions must have the same *holds*.
    """

    def check(node: Node) -> str | None:
        return None if holds(expression, node) else ""

    never = None if keys is None else partial(_why_unknown, expression, keys)
    rule = Rule(f"{family} {expression}", check, soft=expression.soft, never=never)
    if reads is None:
        return rule
    key = (expression.key, expression.operator, expression.value)
    return replace(rule, key=key, reads=reads)


def _why_unknown(
    expression: Expression, keys: Callable[[Node], Collection[str]], nodes: Sequence[Node]
) -> str | None:
    """``no node has zonne (character 1 of zonne==b): did you mean zone==b?``"""
    known = sorted({key for node in nodes for key in keys(node)})
    key = expression.key
    if key in known:
        return None
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(key.lower(), lower, n=1)
    if near:
        hint = f"did you mean {replace(expression, key=lower[near[0]])}?"
    else:
        more = ", ..." if len(known) > _MOST_NAMED else ""
        hint = f"known are {', '.join(known[:_MOST_NAMED])}{more}"
    return f"no node has {key} (character 1 of {expression}): {hint}"
