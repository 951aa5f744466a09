"""Selects nodes from a list: ``-e 'whitelist:node==n1|n2'``, ``--filter whitelist``."""

from collections.abc import Iterator

from swarmcore import hookimpl
from swarmcore.errors import BadRequest
from swarmcore.expression_rules import expression_rule
from swarmcore.expressions import Expression, parse
from swarmcore.protocols import Aspect, ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "WhitelistFilter":
    return WhitelistFilter()


class WhitelistFilter:
    """Refuses nodes that are not in a whitelist.

    Names are separated by ``|`` and taken literally; with several whitelists, all of them must have
    the node.  As in Swarm classic the key may be any word.
    """

    name = "whitelist"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for each whitelist.

        Raises:
            BadRequest: an expression is malformed, or has ``!=``, which classic read as ``==``.
        """
        for text in config.whitelists:
            expression = parse(text)
            if expression.operator == "!=":
                raise BadRequest(
                    f"expression {text!r}: a whitelist names what is allowed (character"
                    f" {len(expression.key) + 1}); to leave nodes out write constraint:{expression}"
                )
            reads = (Aspect.MACHINE,)
            yield expression_rule("whitelist", expression, _is_named, reads=reads)


def _is_named(expression: Expression, node: Node) -> bool:
    return node.name in expression.value.split("|")
