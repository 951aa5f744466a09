"""The kit's contract for discoveries."""

from swarmcore.testing.contracts import DiscoveryContract


class TestContract(DiscoveryContract):
    name = "nodes"
    uri = "nodes://n1:2375,n[2:3]:2375"
    bad_uris = ("nodes://n1", "nodes://")
