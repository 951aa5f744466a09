"""What a container needs and nothing uses yet follows it; it goes where the fewest need to."""

from collections.abc import Sequence

from swarmcore.config import ContainerConfig
from swarmcore.node import Node
from swarmcore.protocols import Weigher


def _count_moves(
    config: ContainerConfig, candidates: Sequence[Node], _: Sequence[Node]
) -> list[float]:
    return [-float(sum(each is not node for each in config.loose.values())) for node in candidates]


#: Decides before everything that is added up.
FEWEST_MOVES = Weigher("fewest moves of networks and volumes", None, _count_moves)
