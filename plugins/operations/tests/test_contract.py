"""The routes keep what every api plugin promises."""

from swarmcore.testing.contracts import RoutesContract


class TestContract(RoutesContract):
    name = "operations"
