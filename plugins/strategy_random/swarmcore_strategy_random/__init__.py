"""Prefers a random node: ``--strategy random``."""

from random import Random

from swarmcore import chance, hookimpl
from swarmcore.protocols import ContainerConfig, Node


@hookimpl
def swarmcore_strategy() -> "RandomStrategy":
    return RandomStrategy(chance.source())


class RandomStrategy:
    """Weighs nodes randomly.

    Args:
        random: source of randomness.
    """

    name = "random"

    def __init__(self, random: Random) -> None:
        self._random = random

    def weigh(self, config: ContainerConfig, node: Node) -> tuple[float]:
        """A random number between 0 and 1."""
        return (self._random.random(),)
