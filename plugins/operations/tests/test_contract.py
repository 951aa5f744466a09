"""The routes pass the contract of api plugins."""

from swarmcore.testing.contracts import RoutesContract


class TestContract(RoutesContract):
    name = "operations"
