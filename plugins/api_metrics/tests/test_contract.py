"""The metrics route passes the contract of api plugins."""

from swarmcore.testing.contracts import RoutesContract


class TestContract(RoutesContract):
    name = "metrics"
