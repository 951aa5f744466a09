"""What a container needs and nothing uses yet follows it; it goes where the fewest need to."""

from collections.abc import Sequence

from swarmcore.config import ContainerConfig
from swarmcore.node import Node
from swarmcore.protocols import Weigher

#: An engine adds up what is in its volumes, an old one in all that it has, before one leaves.
_COSTS = {"network": 1.0, "volume": 2.0}


def _count_moves(
    config: ContainerConfig, candidates: Sequence[Node], _: Sequence[Node]
) -> list[float]:
    return [
        -sum(_COSTS[kind] for (kind, _), at in config.loose.items() if at is not node)
        for node in candidates
    ]


#: Decides before everything that is added up.
FEWEST_MOVES = Weigher("fewest moves of networks and volumes", None, _count_moves)
