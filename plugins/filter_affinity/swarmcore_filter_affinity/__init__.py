"""Near or away from what is there: ``-e affinity:container==db``, ``--filter affinity``."""

from collections.abc import Collection, Iterator

from swarmcore import hookimpl
from swarmcore.expression_rules import expression_rule
from swarmcore.expressions import Expression, parse
from swarmcore.protocols import ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "AffinityFilter":
    return AffinityFilter()


class AffinityFilter:
    """Refuses nodes whose containers or images an expression does not hold for.

    The key ``container`` means names and ids, ``image`` means tags, digests, repositories and ids,
    any other key a label of the containers.  Placements that are under way count as containers.
    """

    name = "affinity"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for each affinity.

        Raises:
            BadRequest: one is malformed.
        """
        for text in config.affinities:
            yield expression_rule("affinity", parse(text), _holds)


def _holds(expression: Expression, node: Node) -> bool:
    return expression.matches(_candidates(expression.key, node))


def _candidates(key: str, node: Node) -> Collection[str]:
    match key:
        case "container":
            return node.container_words
        case "image":
            return node.image_words
        case _:
            return node.container_label_values(key)
