"""Any node that fits: ``--strategy random``."""

from random import Random, SystemRandom

from swarmcore import hookimpl
from swarmcore.protocols import ContainerConfig, Node


@hookimpl
def swarmcore_strategy() -> "RandomStrategy":
    return RandomStrategy(SystemRandom())


class RandomStrategy:
    """Weighs by lot.

    Args:
        random: where the lots come from.
    """

    name = "random"

    def __init__(self, random: Random) -> None:
        self._random = random

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float]:
        """A lot between 0 and 1."""
        return (self._random.random(),)
