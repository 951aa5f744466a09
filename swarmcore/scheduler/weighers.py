"""Weights that operators add to the strategy's: ``swarm.weight.NAME`` and ``swarm.spread``.

Pure.  How they are put together is ``ranking``'s matter.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from swarmcore.config import ContainerConfig
from swarmcore.images import has_image
from swarmcore.node import Node, count_failed_pulls
from swarmcore.protocols import Weigher
from swarmcore.scheduler.failures import FailureHistory

#: Labels that the containers of one service of a compose project share.
_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


#: Before all else: where a pull failed lately, a create whose image is missing there fails again.
FAILED_PULLS: Final = Weigher(
    "failed pulls",
    None,
    lambda config, candidates, _: [
        -float(count_failed_pulls(node, config.image)) for node in candidates
    ],
)


def make_weighers(
    multipliers: Mapping[str, float], spread: str, failures: FailureHistory
) -> Iterator[Weigher]:
    """The weighers that were asked for.

    Args:
        multipliers: name -> how much it counts.
        spread: a label of nodes; empty to leave that out.
        failures: of creates.
    """
    if spread:
        yield _spread_over(spread, f"{spread} (service)", _count_siblings)
        yield _spread_over(spread, spread, lambda _, node: node.container_count)
    if (multiplier := multipliers.get("image", 0.0)) != 0:
        yield Weigher("image", multiplier, _has_image)
    if (multiplier := multipliers.get("failures", 0.0)) != 0:
        yield Weigher("failures", multiplier, lambda _, nodes, __: [
            -failures.recent(node.id) for node in nodes
        ])  # fmt: skip


def _has_image(
    config: ContainerConfig, candidates: Sequence[Node], _: Sequence[Node]
) -> list[float]:
    """1 where nothing need be pulled."""
    return [float(has_image(node, config.image)) for node in candidates]


def _spread_over(label: str, name: str, count: Callable[[ContainerConfig, Node], int]) -> Weigher:
    """Prefers nodes of the value of *label* whose nodes have the fewest containers together.

    Nodes without the label are one more value, as in swarm mode.
    """

    def weigh(
        config: ContainerConfig, candidates: Sequence[Node], nodes: Sequence[Node]
    ) -> list[float]:
        counts: Counter[str] = Counter()
        for node in nodes:
            counts[node.labels.get(label, "")] += count(config, node)
        return [-float(counts[node.labels.get(label, "")]) for node in candidates]

    return Weigher(f"spread {name}", None, weigh)


def _count_siblings(config: ContainerConfig, node: Node) -> int:
    """Containers of the service that *config* is of; none where it is of none."""
    project, service = config.labels.get(_PROJECT, ""), config.labels.get(_SERVICE, "")
    if not service or service not in node.container_label_values(_SERVICE):
        return 0
    labels = (
        *(container.labels for container in node.containers.values()),
        *(reservation.labels for reservation in node.reservations.values()),
    )
    return sum(
        each.get(_SERVICE) == service and each.get(_PROJECT, "") == project for each in labels
    )
