"""Simple strategies for tests."""

from dataclasses import dataclass, field


@dataclass
class Saying:
    """A strategy of fixed weights, by name of the node."""

    weights: dict = field(default_factory=dict)
    name: str = "saying"

    def weigh(self, config, node):
        return self.weights.get(node.name, (0.0,))


class Fewest:
    """A strategy that prefers few containers; the first number of its weights is always equal."""

    name = "fewest"

    def weigh(self, config, node):
        return (0.0, -node.container_count)
