"""The contract of filters."""

from swarmcore.testing.contracts import FilterContract


class TestContract(FilterContract):
    name = "port"
