"""Which nodes have an image; no node is asked again before its images change."""

from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_node
from tests.unit.strategies import Fewest


def test_the_nodes_with_an_image_are_found_in_order():
    scheduler = Scheduler(Fewest(), [])
    nodes = [a_node("n1", images=["app:1"]), a_node("n2"), a_node("n3", images=["app:1"])]
    assert scheduler.holders("app:1", nodes) == [nodes[0], nodes[2]]
    nodes[0].images = {}
    nodes[1].images = nodes[2].images
    assert scheduler.holders("app:1", nodes) == [nodes[1], nodes[2]]
    assert scheduler.holders("app:1", nodes[:2]) == [nodes[1]]
