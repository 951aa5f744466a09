"""The contract of a weigher."""

import math
import time
from collections.abc import Sequence

from swarmcore.protocols import Weigher
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.specimens import modest_configs, node_state, usable_nodes

#: CPU seconds for a hundred weighings of a few nodes.
_HUNDRED_SECONDS = 1.0


class WeigherContract(PluginContract):
    """The tests of a weigher; a subclass sets ``name``."""

    kind = "weigher"
    hook = "swarmcore_weigher"

    def weigher(self) -> Weigher:
        """Return the weigher as the manager gets it."""
        [weigher] = self.load().weighers()
        return weigher

    def weigh_all(self, weigher: Weigher) -> list[Sequence[float]]:
        """Return the values of all nodes, for each config."""
        nodes = usable_nodes()
        return [weigher.weigh(config, nodes, nodes) for config in modest_configs()]

    def test_the_weigher_is_called_what_the_user_types(self) -> None:
        """``swarm.weight.NAME`` sets the multiplier of the weigher with that name."""
        assert self.weigher().name == self.name

    def test_the_multiplier_is_a_finite_number_or_none(self) -> None:
        """A weigher with ``None`` is compared before the sum of all others."""
        multiplier = self.weigher().multiplier
        assert multiplier is None or math.isfinite(multiplier)

    def test_each_candidate_has_one_finite_number(self) -> None:
        """Otherwise the create fails with an error that names the weigher."""
        for values in self.weigh_all(self.weigher()):
            assert len(values) == len(usable_nodes())
            assert all(isinstance(value, (int, float)) for value in values), values
            assert all(map(math.isfinite, values)), values

    def test_only_candidates_are_weighed(self) -> None:
        """There may be one candidate among many nodes; a weigher may only count the others."""
        weigher, nodes = self.weigher(), usable_nodes()
        for config in modest_configs():
            assert len(weigher.weigh(config, nodes[:1], nodes)) == 1

    def test_weighing_changes_nothing(self) -> None:
        """A weigher must not change the node, which belongs to its engine."""
        weigher, nodes = self.weigher(), usable_nodes()
        before = [node_state(node) for node in nodes]
        for config in modest_configs():
            asked = repr(config)
            weigher.weigh(config, nodes, nodes)
            assert repr(config) == asked
        assert [node_state(node) for node in nodes] == before

    def test_weighing_is_quick(self) -> None:
        """It runs in the event loop, once for each create."""
        weigher, nodes = self.weigher(), usable_nodes()
        config = modest_configs()[1]
        started = time.process_time()
        for _ in range(100):
            weigher.weigh(config, nodes, nodes)
            assert time.process_time() - started < _HUNDRED_SECONDS
