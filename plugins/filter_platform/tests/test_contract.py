"""The contract of filters."""

from swarmcore.testing.builders import a_config
from swarmcore.testing.contracts import FilterContract


class TestContract(FilterContract):
    name = "platform"

    def configs(self):
        texts = ("linux/arm64", "linux/arm/v7", "linux", "arm64", "bogus", "a/b/c/d", "/")
        return [a_config(platform=text) for text in texts]
