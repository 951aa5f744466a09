"""The contract of every strategy."""

from swarmcore.testing.contracts import StrategyContract


class TestContract(StrategyContract):
    name = "binpack"
