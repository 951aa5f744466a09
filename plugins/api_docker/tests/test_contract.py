"""The Docker API keeps what every api plugin promises."""

from swarmcore.testing.contracts import RoutesContract


class TestContract(RoutesContract):
    name = "docker"
