"""The contract of a scheduling strategy."""

import math
import time
from collections.abc import Sequence
from typing import ClassVar

from swarmcore.node import Node
from swarmcore.protocols import KeyedStrategy, Strategy
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.specimens import (
    changes_unread,
    modest_configs,
    node_state,
    usable_nodes,
)

#: CPU seconds for a thousand weighings: ten times as much as a slow strategy needs.
_THOUSAND_SECONDS = 1.0


class StrategyContract(PluginContract):
    """The tests of a strategy; a subclass sets ``name``.

    Attributes:
        is_random: whether weights differ from call to call on purpose.
    """

    kind = "strategy"
    hook = "swarmcore_strategy"
    is_random: ClassVar[bool] = False

    def strategy(self) -> Strategy:
        """Return the strategy as the manager gets it."""
        return self.load().strategy()

    def weigh_all(self, strategy: Strategy) -> list[Sequence[float]]:
        """Return the weight of each pair of config and node."""
        return [
            strategy.weigh(config, node) for config in modest_configs() for node in usable_nodes()
        ]

    def test_the_strategy_is_called_what_the_user_types(self) -> None:
        """``info`` shows ``strategy.name``; a user writes the same name after ``--strategy``."""
        assert self.strategy().name == self.name

    def test_every_weight_is_a_row_of_finite_numbers(self) -> None:
        """Weights are compared item by item; the order with a NaN in them would be undefined."""
        for weight in self.weigh_all(self.strategy()):
            assert isinstance(weight, Sequence)
            assert weight, "an empty weight says nothing"
            assert all(isinstance(item, (int, float)) for item in weight), weight
            assert all(math.isfinite(item) for item in weight), weight

    def test_all_weights_have_one_length(self) -> None:
        """A longer weight would win over a shorter one with the same first items."""
        assert len({len(weight) for weight in self.weigh_all(self.strategy())}) == 1

    def test_weighing_changes_nothing(self) -> None:
        """A strategy must not change the node, which belongs to its engine."""
        strategy = self.strategy()
        for config in modest_configs():
            for node in usable_nodes():
                before, asked = node_state(node), repr(config)
                strategy.weigh(config, node)
                assert node_state(node) == before
                assert repr(config) == asked

    def test_the_same_question_has_the_same_answer(self) -> None:
        """A decision can be explained later; not tested for a random strategy."""
        if self.is_random:
            return
        strategy = self.strategy()
        first = self.weigh_all(strategy)
        assert self.weigh_all(strategy) == first
        assert self.weigh_all(self.strategy()) == first

    def test_configs_with_equal_keys_have_equal_weights(self) -> None:
        """The scheduler keeps weights for later configs that have the same key."""
        strategy = self.strategy()
        if not isinstance(strategy, KeyedStrategy):
            return
        known: dict[object, list[Sequence[float]]] = {}
        for config in modest_configs():
            weights = [strategy.weigh(config, node) for node in usable_nodes()]
            if (key := strategy.key(config)) is not None:
                assert known.setdefault(key, weights) == weights, key
                assert strategy.key(config) == key

    def test_kept_weights_depend_only_on_what_is_declared(self) -> None:
        """A weight is kept until a part of the node changes that the strategy reads."""
        strategy = self.strategy()
        if not isinstance(strategy, KeyedStrategy):
            return
        for config in modest_configs():
            for change in (
                changes_unread(strategy.reads) if strategy.key(config) is not None else ()
            ):
                for node in usable_nodes():
                    before = strategy.weigh(config, node)
                    change(node)
                    assert strategy.weigh(config, node) == before, (node.name, change.__name__)

    def test_a_node_without_cpus_or_memory_is_no_accident(self) -> None:
        """An engine may report no CPUs or memory, and a config may claim none."""
        node, config = Node("x|192.0.2.1:2375", "192.0.2.1:2375"), modest_configs()[0]
        assert all(math.isfinite(item) for item in self.strategy().weigh(config, node))

    def test_weighing_is_quick(self) -> None:
        """It runs in the event loop, once for each node at each create."""
        strategy, config, node = self.strategy(), modest_configs()[1], usable_nodes()[1]
        started = time.process_time()
        for _ in range(1000):
            strategy.weigh(config, node)
            assert time.process_time() - started < _THOUSAND_SECONDS
