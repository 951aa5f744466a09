"""The contract of a weigher."""

import math
import time
from collections.abc import Sequence

from swarmcore.protocols import Weigher
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.specimens import modest_configs, node_state, usable_nodes

#: CPU seconds that a hundred weighings of a few nodes may take.
_HUNDRED_SECONDS = 1.0


class WeigherContract(PluginContract):
    """Inherit, and set ``name``."""

    kind = "weigher"
    hook = "swarmcore_weigher"

    def weigher(self) -> Weigher:
        """The weigher as the manager gets it."""
        [weigher] = self.load().weighers()
        return weigher

    def weigh_all(self, weigher: Weigher) -> list[Sequence[float]]:
        """The values of all nodes, for each config."""
        nodes = usable_nodes()
        return [weigher.weigh(config, nodes, nodes) for config in modest_configs()]

    def test_the_weigher_is_called_what_the_user_types(self) -> None:
        """``swarm.weight.NAME`` sets the multiplier of the weigher of that name."""
        assert self.weigher().name == self.name

    def test_the_multiplier_is_a_finite_number_or_none(self) -> None:
        """``None`` decides before everything that is added up."""
        multiplier = self.weigher().multiplier
        assert multiplier is None or math.isfinite(multiplier)

    def test_each_candidate_has_one_finite_number(self) -> None:
        """Anything else fails the create, and names the weigher."""
        for values in self.weigh_all(self.weigher()):
            assert len(values) == len(usable_nodes())
            assert all(isinstance(value, (int, float)) for value in values), values
            assert all(map(math.isfinite, values)), values

    def test_only_candidates_are_weighed(self) -> None:
        """Filters may leave a single node of many; the others are there to be counted."""
        weigher, nodes = self.weigher(), usable_nodes()
        for config in modest_configs():
            assert len(weigher.weigh(config, nodes[:1], nodes)) == 1

    def test_weighing_changes_nothing(self) -> None:
        """A node belongs to its engine; a weigher reads."""
        weigher, nodes = self.weigher(), usable_nodes()
        before = [node_state(node) for node in nodes]
        for config in modest_configs():
            asked = repr(config)
            weigher.weigh(config, nodes, nodes)
            assert repr(config) == asked
        assert [node_state(node) for node in nodes] == before

    def test_weighing_is_quick(self) -> None:
        """It runs once for each create, on the thread that serves everybody."""
        weigher, nodes = self.weigher(), usable_nodes()
        config = modest_configs()[1]
        started = time.process_time()
        for _ in range(100):
            weigher.weigh(config, nodes, nodes)
            assert time.process_time() - started < _HUNDRED_SECONDS
