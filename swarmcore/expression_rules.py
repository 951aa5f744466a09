"""From expressions to rules, for every filter that has some: constraint, affinity, whitelist."""

import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from swarmcore.expressions import Expression
from swarmcore.node import Node
from swarmcore.protocols import Rule

#: How many known keys a refusal lists where none resembles the unknown one.
_MOST_NAMED = 12


def expression_rule(
    family: str,
    expression: Expression,
    holds: Callable[[Expression, Node], bool],
    keys: Callable[[Node], Collection[str]] | None = None,
) -> Rule:
    """A rule that *expression* holds; soft where the expression is.

    Args:
        family: what refusals call it: ``constraint``.
        expression: read from what the client wrote.
        holds: whether it holds for a node.
        keys: all keys that mean something on a node, where that can be known: a refusal then says
            that a key is known to no node, and which is the nearest.
    """

    def check(node: Node) -> str | None:
        return None if holds(expression, node) else ""

    never = None if keys is None else partial(_why_unknown, expression, keys)
    return Rule(f"{family} {expression}", check, soft=expression.soft, never=never)


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
