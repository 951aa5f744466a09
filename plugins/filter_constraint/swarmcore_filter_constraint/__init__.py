"""Selects nodes by name and label: ``-e constraint:zone==eu``, ``--filter constraint``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.expression_rules import expression_rule
from swarmcore.expressions import Expression, parse
from swarmcore.protocols import Aspect, ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "ConstraintFilter":
    return ConstraintFilter()


class ConstraintFilter:
    """Refuses nodes that do not satisfy an expression.

    The key ``node`` stands for the node's name or id, any other key for a label; a missing label
    counts as empty, as in Swarm classic.
    """

    name = "constraint"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for each constraint.

        Raises:
            BadRequest: an expression is malformed.
        """
        for text in config.constraints:
            reads = (Aspect.MACHINE,)
            yield expression_rule("constraint", parse(text), _holds, _keys, reads=reads)


def _holds(expression: Expression, node: Node) -> bool:
    return expression.matches(_candidates(expression.key, node))


def _keys(node: Node) -> tuple[str, ...]:
    return ("node", *node.labels)


def _candidates(key: str, node: Node) -> tuple[str, ...]:
    return (node.id, node.name) if key == "node" else (node.labels.get(key, ""),)
