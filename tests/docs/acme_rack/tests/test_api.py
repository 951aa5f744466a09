"""The page of racks, requested without a manager."""

from acme_rack.api import swarmcore_routes

from swarmcore.testing.builders import a_node
from swarmcore.testing.doubles import FakeCluster, ask


async def test_the_nodes_of_each_rack_are_shown():
    n1, n2 = a_node("n1", labels={"rack": "a"}), a_node("n2", labels={"rack": "b"})
    exchange = await ask(swarmcore_routes(), FakeCluster(n1, n2), "GET", "/acme/racks")
    assert exchange.status == 200
    assert exchange.json == {"a": ["n1"], "b": ["n2"]}
