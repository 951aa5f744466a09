"""The metrics of a manager, parsed by Prometheus' own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from swarmcore_api_metrics import swarmcore_routes

from swarmcore.model import Drain, GiB, NodeSettings, State
from swarmcore.protocols import DecisionCounts, DiscoveryState, MoveRecord, Traffic
from swarmcore.testing.builders import a_node, a_reservation
from swarmcore.testing.doubles import FakeCluster, FakeExchange, ScriptedMoves


@pytest.fixture
def read():
    """Return every sample of a cluster: name and labels -> value."""

    async def read(*nodes, traffic=None, **cluster):
        [route] = swarmcore_routes()
        known = FakeCluster(*nodes)
        for name, value in cluster.items():
            setattr(known, name, value)
        exchange = FakeExchange(known)
        exchange.carried = traffic or {}
        await route.handler(exchange)
        assert exchange.status == 200
        text = exchange.body.decode()
        families = list(text_string_to_metric_families(text))
        assert all(family.documentation and family.type != "unknown" for family in families)
        return {
            (sample.name.removeprefix("swarmcore_"), *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }

    return read


async def test_nodes_are_counted_by_state_and_listed(read):
    drained = a_node("n2", containers=["db"])
    drained.apply(NodeSettings(Drain("disk", "anna"), {}))
    silent = a_node('n"3\\\n', state=State.UNHEALTHY)
    n1 = a_node("n1", containers=["web", "api"])
    found = await read(n1, drained, silent)
    assert {state: found["nodes", state] for state in ("healthy", "unhealthy", "pending")} == {
        "healthy": 2, "unhealthy": 1, "pending": 0,
    }  # fmt: skip
    assert found["nodes_drained",] == 1
    assert found["node_up", "n1", n1.address] == 1
    assert found["node_up", silent.name, silent.address] == 0
    assert found["containers", "running"] == 3


async def test_claimed_and_available_resources(read):
    node = a_node(memory=8 * GiB, cpus=4, reservations=[a_reservation(memory=2 * GiB)])
    found = await read(node)
    assert (found["memory_bytes",], found["memory_claimed_bytes",]) == (8 * GiB, 2 * GiB)
    assert (found["cpus",], found["cpus_claimed",], found["reservations",]) == (4, 0, 1)


async def test_decisions_by_outcome_and_rules_by_the_nodes_that_they_refused(read):
    counts = DecisionCounts({"create": 5, "pulled": 1}, {"create": 2}, {"memory": 40})
    found = await read(counts=counts)
    assert found["decisions_total", "placed", "create"] == 5
    assert found["decisions_total", "placed", "pulled"] == 1
    assert found["decisions_total", "refused", "create"] == 2
    assert found["node_refusals_total", "memory"] == 40


async def test_moves_by_state_and_attempts_by_result(read):
    moves = ScriptedMoves()
    moves.records = [
        MoveRecord("1" * 64, "a", "n1"),
        MoveRecord("2" * 64, "b", "n1", state="failed"),
        MoveRecord("3" * 64, "c", "n1", state="moved"),
    ]
    found = await read(moves=moves)
    assert (found["moves", "moving"], found["moves", "failed"]) == (1, 1)
    assert found["move_attempts_total", "moved"] == 1
    assert found["move_attempts_total", "failed"] == 1


@pytest.mark.parametrize(
    ("state", "up"),
    [
        (DiscoveryState(), 0),
        (DiscoveryState(listed_at=9.0), 1),
        (DiscoveryState(listed_at=9.0, problems=["entry 'bad'"]), 1),
        (DiscoveryState("no such file", 9.0), 0),
    ],
    ids=["before the first list", "well", "an entry is skipped", "an outage"],
)
async def test_discovery_is_up_while_its_list_can_be_read(read, state, up):
    found = await read(discovery=state)
    assert found["discovery_up",] == up
    assert found["discovery_list_timestamp_seconds",] == state.listed_at


async def test_requests_are_counted_by_path_and_status(read):
    traffic = {"containers": Traffic(3, {200: 7, 404: 1}, 10, 2**40), "events": Traffic(1)}
    found = await read(traffic=traffic)
    assert found["requests_total", "containers", "200"] == 7
    assert found["requests_total", "containers", "404"] == 1
    assert found["requests_open", "containers"] == 3
    assert found["received_bytes_total", "containers"] == 10
    assert found["sent_bytes_total", "containers"] == 2**40
    assert found["requests_open", "events"] == 1


async def test_a_replica_says_so(read):
    assert (await read())["primary",] == 1
    assert (await read(is_primary=False))["primary",] == 0
