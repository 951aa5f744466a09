"""From expressions to rules, for every filter that has some: constraint, affinity, whitelist."""

from collections.abc import Callable

from swarmcore.expr import Expression
from swarmcore.node import Node
from swarmcore.protocols import Rule


def expression_rule(
    family: str, expression: Expression, holds: Callable[[Expression, Node], bool]
) -> Rule:
    """A rule that *expression* holds; soft where the expression is.

    Args:
        family: what refusals call it: ``constraint``.
        expression: read from what the client wrote.
        holds: whether it holds for a node.
    """

    def check(node: Node) -> str | None:
        return None if holds(expression, node) else ""

    return Rule(f"{family} {expression}", check, soft=expression.soft)
