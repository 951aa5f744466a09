"""The contract of every filter."""

from swarmcore.testing.contracts import FilterContract


class TestContract(FilterContract):
    name = "whitelist"
