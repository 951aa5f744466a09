"""Contracts: tests that every plugin of a kind must pass.  The plugin's own tests inherit them.

    from swarmcore.testing.contracts import StrategyContract

    class TestContract(StrategyContract):
        name = "binpack"

The contract loads the plugin through its entry point, so the plugin must be installed and its
packaging is tested, too.  The contracts need only pytest.  They are public and versioned with the
core: a later release may add tests for behaviour that is documented today, but no new requirements.
"""

from swarmcore.testing.contracts.discoveries import DiscoveryContract, RecordingSink
from swarmcore.testing.contracts.filters import FilterContract
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.routes import RoutesContract
from swarmcore.testing.contracts.strategies import StrategyContract
from swarmcore.testing.contracts.weighers import WeigherContract

__all__ = [
    "DiscoveryContract",
    "FilterContract",
    "PluginContract",
    "RecordingSink",
    "RoutesContract",
    "StrategyContract",
    "WeigherContract",
]
