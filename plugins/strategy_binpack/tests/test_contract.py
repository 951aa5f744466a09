"""The contract of strategies."""

from swarmcore.testing.contracts import StrategyContract


class TestContract(StrategyContract):
    name = "binpack"
