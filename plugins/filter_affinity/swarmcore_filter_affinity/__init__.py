"""Places containers near others: ``-e affinity:container==db``, ``--filter affinity``."""

from collections.abc import Collection, Iterator

from swarmcore import hookimpl
from swarmcore.expression_rules import expression_rule
from swarmcore.expressions import Expression, parse
from swarmcore.protocols import Aspect, ContainerConfig, Node, Rule


@hookimpl
def swarmcore_filter() -> "AffinityFilter":
    return AffinityFilter()


class AffinityFilter:
    """Refuses nodes whose containers or images do not satisfy an expression.

    The key ``container`` stands for names and ids, ``image`` for tags, digests, repositories and
    ids, any other key for a label of the containers.  Creates under way count as containers.
    """

    name = "affinity"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for each affinity.

        Raises:
            BadRequest: an expression is malformed.
        """
        for text in config.affinities:
            expression = parse(text)
            # The images of reservations count, too.
            images = (Aspect.IMAGES,) if expression.key == "image" else ()
            reads = (Aspect.CONTAINERS, *images)
            yield expression_rule("affinity", expression, _holds, reads=reads)


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
