"""Classic's weights, shared by the strategies that came from it, and one scale for all weights."""

import math
from collections.abc import Sequence

from swarmcore.container_config import ContainerConfig
from swarmcore.node import Node

#: One point of health outweighs ten of usage, whose sum is 200 at most: a node with one recent
#: failure (67 of 100) loses more than usage can ever make up for.
_HEALTH = 10.0


def health_weight(node: Node) -> float:
    """0 to 1000; below that by a third for each recent failure with the default limit."""
    return _HEALTH * node.health


def crowd(config: ContainerConfig, node: Node) -> int:
    """How much *node* holds: its containers; for a network, a volume or a build, which are of no
    image, also the networks and volumes that no container uses yet."""
    return node.container_count + (0 if config.image else node.objects.unused_count)


def usage(config: ContainerConfig, node: Node) -> float:
    """How full the node would be: percent of CPU plus percent of memory, with *config* on it.

    What a config does not claim counts as 100, as in classic: then only containers are counted.
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
    """Each column on a scale from 0, the worst of the candidates, to 1, the best.

    A column in which all are equal decides nothing, and is 0.

    Args:
        weights: a row for each candidate, all of one length.
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
        # Finite numbers may be further apart than any number is large; halves of them are not.
        return _scale([number / 2 for number in column])
    return [(number - low) / (high - low) for number in column]
