"""Doubles for the handlers of an API plugin: a cluster in memory, and one request with its answer.

    cluster = FakeCluster(a_node("n1", labels={"rack": "a"}))
    exchange = await ask(swarmcore_routes(), cluster, "GET", "/acme/racks")
    assert exchange.json == {"a": ["n1"]}

No socket is opened and no scheduler runs.  Engines answer from a script of the test, and the calls
of a handler are recorded in attributes.  To test a handler in a whole manager, start a manager with
embedded engines instead.  Part of the public test kit.
"""

from swarmcore.testing.doubles.cluster import FakeCluster, ScriptedMoves
from swarmcore.testing.doubles.engine import ScriptedEngine
from swarmcore.testing.doubles.exchange import FakeExchange, ask

__all__ = ["FakeCluster", "FakeExchange", "ScriptedEngine", "ScriptedMoves", "ask"]
