"""What every plugin of a kind must do, as tests that a plugin's own suite inherits.

    from swarmcore.testing.contracts import StrategyContract

    class TestContract(StrategyContract):
        name = "binpack"

The plugin is loaded through its entry point, so its packaging is tested too: it must be installed.
Needs pytest and nothing else.  Public, and versioned with the core: a later release may add tests
for what is documented today, never for what is new.
"""

from swarmcore.testing.contracts.discoveries import DiscoveryContract, RecordingSink
from swarmcore.testing.contracts.filters import FilterContract
from swarmcore.testing.contracts.routes import RoutesContract
from swarmcore.testing.contracts.strategies import StrategyContract
from swarmcore.testing.contracts.weighers import WeigherContract

__all__ = [
    "DiscoveryContract",
    "FilterContract",
    "RecordingSink",
    "RoutesContract",
    "StrategyContract",
    "WeigherContract",
]
