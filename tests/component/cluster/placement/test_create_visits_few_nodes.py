"""A create looks at the nodes that have changed, not at all nodes of the cluster."""

import pytest

from swarmcore.model import MiB
from swarmcore.node import Node
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet
from tests.scripted_engine import ScriptedEngine

ENGINES = 40


@pytest.fixture
def visited(monkeypatch):
    """Record the nodes of which any attribute is read."""
    nodes = set()
    read = Node.__getattribute__

    def recorded(self, name):
        nodes.add(self)
        return read(self, name)

    monkeypatch.setattr(Node, "__getattribute__", recorded)
    return nodes


@pytest.mark.parametrize("queue_seconds", [0, 60])
async def test_a_create_looks_at_few_nodes(autojump_clock, visited, queue_seconds):
    engines = [ScriptedEngine(f"n{number}", number) for number in range(1, ENGINES + 1)]
    async with open_fleet(*engines, queue_seconds=queue_seconds) as fleet:
        for number in range(3):
            await fleet.create(a_config(name=f"before-{number}", ports=["80:80"], memory=MiB))
            visited.clear()
            await fleet.create(a_config(name=f"c{number}", ports=["80:80"], memory=MiB))
            assert 1 <= len(visited) <= 5
