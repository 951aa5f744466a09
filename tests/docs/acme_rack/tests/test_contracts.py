"""The kit's contracts, run on Acme's plugins as they are installed."""

from swarmcore.testing.contracts import (
    DiscoveryContract,
    FilterContract,
    RoutesContract,
    StrategyContract,
)


class TestDiscovery(DiscoveryContract):
    name = "rack"
    uri = "rack://a=10.0.0.1:2375,b=10.0.0.2:2375"
    bad_uris = ("rack://10.0.0.1:2375", "rack://a=10.0.0.1")


class TestStrategy(StrategyContract):
    name = "quiet"


class TestFilter(FilterContract):
    name = "rack"


class TestRoutes(RoutesContract):
    name = "rack"
