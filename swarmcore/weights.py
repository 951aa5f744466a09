"""Weights shared by the strategies of Swarm classic, and the scaling of weights."""

import math
from collections.abc import Sequence

from swarmcore.container_config import ContainerConfig
from swarmcore.node import Node

#: A point of health counts as much as ten of usage, which is 200 at most: a node with one recent
#: failure (67 of 100) ranks below all healthy nodes.
_HEALTH = 10.0


def health_weight(node: Node) -> float:
    """0 to 1000; each recent failure costs a third with the default failure limit."""
    return _HEALTH * node.health


def crowd(config: ContainerConfig, node: Node) -> int:
    """The number of containers on *node*; for a network, a volume or a build, which have no image,
    plus the number of unused networks and volumes."""
    return node.container_count + (0 if config.image else node.objects.unused_count)


def usage_key(config: ContainerConfig) -> tuple[int, int] | None:
    """What ``crowd`` and ``usage`` depend on apart from the node; see ``KeyedStrategy``.

    Returns:
        ``None`` without an image: unused networks and volumes then count, whose changes nodes do
        not note.
    """
    return (config.claim.nano_cpus, config.claim.memory) if config.image else None


def usage(config: ContainerConfig, node: Node) -> float:
    """Percent of CPU plus percent of memory used on *node* once *config* is placed there.

    A resource that *config* does not claim counts as 100, as in Swarm classic; then only the number
    of containers matters.
    """
    claim = config.claim
    return _percent(claim.nano_cpus, node.used_nano_cpus, node.total_nano_cpus) + _percent(
        claim.memory, node.used_memory, node.total_memory
    )


def _percent(asked: int, used: int, total: int) -> float:
    if asked <= 0 or total <= 0:
        return 100.0
    return float((used + asked) * 100 // total)


def normalise(weights: Sequence[Sequence[float]]) -> list[list[float]]:
    """Scale each column from 0 for the worst candidate to 1 for the best.

    A column of equal values becomes 0.

    Args:
        weights: a row for each candidate; all rows have the same length.
    """
    if not weights:
        return []
    scaled = [_scale(column) for column in zip(*weights, strict=True)]
    return [list(row) for row in zip(*scaled, strict=True)] if scaled else [[] for _ in weights]


def _scale(column: Sequence[float]) -> list[float]:
    low, high = min(column), max(column)
    if not high > low:
        return [0.0] * len(column)
    if math.isinf(high - low):
        # The difference overflows; that of the halved numbers does not.
        return _scale([number / 2 for number in column])
    return [(number - low) / (high - low) for number in column]
