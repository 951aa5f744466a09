"""The Docker API passes the contract of api plugins."""

from swarmcore.testing.contracts import RoutesContract


class TestContract(RoutesContract):
    name = "docker"
