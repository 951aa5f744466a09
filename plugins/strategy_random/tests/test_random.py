"""The random strategy has no preference."""

from random import Random

from swarmcore_strategy_random import RandomStrategy

from swarmcore.testing.builders import a_config, a_node


def test_every_node_is_drawn_sooner_or_later():
    strategy, nodes = RandomStrategy(Random(1)), [a_node(f"n{n}") for n in range(4)]
    drawn = {max(nodes, key=lambda node: strategy.weigh(a_config(), node)).name for _ in range(100)}
    assert drawn == {"n0", "n1", "n2", "n3"}
