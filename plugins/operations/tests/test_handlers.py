"""How requests name a node, and which requests are refused before anything changes."""

import pytest
from swarmcore_operations.routes import swarmcore_routes

from swarmcore.errors import BadRequest, NotFound
from swarmcore.http.routing import clean_path
from swarmcore.protocols import DecisionRecord, MoveRecord, WaitingCreate
from swarmcore.testing import doubles
from swarmcore.testing.builders import a_node
from swarmcore.testing.doubles import FakeCluster


@pytest.fixture
def cluster():
    return FakeCluster(a_node("web-1"), a_node("web-2", labels={"zone": "a"}), a_node("db"))


async def ask(cluster, method, target, body=None):
    return (await doubles.ask(swarmcore_routes(), cluster, method, target, body=body)).json


async def test_a_node_has_a_name_an_address_and_ids(cluster):
    node = cluster.nodes()[1]
    for text in (node.name, node.address, node.id.partition("|")[0]):
        assert (await ask(cluster, "GET", f"/swarmcore/nodes/{text}"))["Name"] == "web-2"


@pytest.mark.parametrize("address", ["unix:///run/docker.sock", "ssh://ops@n1", "[fd00::1]:2375"])
async def test_an_address_may_have_slashes_and_colons(address):
    cluster = FakeCluster(a_node("db"), a_node("web", address=address))
    path = clean_path(f"/swarmcore/nodes/{address}/drain")
    assert (await ask(cluster, "POST", path))["Name"] == "web"


async def test_a_name_of_two_nodes_asks_for_the_address():
    cluster = FakeCluster(
        a_node("twin", address="10.0.0.1:2375"), a_node("twin", address="10.0.0.2:2375")
    )
    with pytest.raises(BadRequest, match=r"10\.0\.0\.1:2375, 10\.0\.0\.2:2375"):
        await ask(cluster, "POST", "/swarmcore/nodes/twin/drain")
    await ask(cluster, "POST", "/swarmcore/nodes/10.0.0.2:2375/drain")
    assert [node.drained is None for node in cluster.nodes()] == [True, False]


async def test_a_misspelled_name_gets_the_nearest_name(cluster):
    with pytest.raises(NotFound, match=r"No such node: wbe-2; did you mean web-\d\?"):
        await ask(cluster, "GET", "/swarmcore/nodes/wbe-2")
    with pytest.raises(NotFound, match="'swarmcore nodes' lists them"):
        await ask(cluster, "GET", "/swarmcore/nodes/zzzzzz")


async def test_the_client_is_the_author_of_a_drain_by_default(cluster):
    sent = await ask(cluster, "POST", "/swarmcore/nodes/db/drain")
    assert sent["Drained"]["Author"] == "127.0.0.1"
    sent = await ask(cluster, "POST", "/swarmcore/nodes/db/drain", {"Author": "anna"})
    assert sent["Drained"]["Author"] == "anna"
    assert (await ask(cluster, "POST", "/swarmcore/nodes/db/undrain"))["Drained"] is None


@pytest.mark.parametrize("kept", [True, False])
async def test_a_change_says_whether_it_will_be_kept(cluster, kept):
    cluster.keeps_node_settings = kept
    assert (await ask(cluster, "POST", "/swarmcore/nodes/db/drain"))["Kept"] is kept


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("drain", [], "JSON object"),
        ("drain", {"Reason": 1}, "Reason must be one line"),
        ("drain", {"Reason": "two\nlines"}, "Reason must be one line"),
        ("drain", {"Author": "x" * 201}, "at most 200"),
        ("labels", {"node": "x"}, "the node's name"),
        ("labels", {"": "x"}, "cannot be the key"),
        ("labels", {"a b": "x"}, "cannot be the key"),
        ("labels", {"zone": 1}, "one line of text, or null"),
        ("labels", {"zone": None}, "set by its engine"),
        ("labels", {"swarm.overcommit": "much"}, "'much' is not a fraction above -1, at most 1000"),
    ],
)
async def test_invalid_input_is_refused_by_name_and_changes_nothing(cluster, path, body, words):
    before = [(node.drained, dict(node.labels)) for node in cluster.nodes()]
    with pytest.raises(BadRequest, match=words):
        await ask(cluster, "POST", f"/swarmcore/nodes/web-2/{path}", body)
    assert [(node.drained, dict(node.labels)) for node in cluster.nodes()] == before


async def test_decisions_are_limited(cluster):
    cluster.records = [
        DecisionRecord(1_577_836_800, "web", "nginx", "create", "n1", 3, 2, {"memory": 1}),
        DecisionRecord(0, "db", "postgres", "create", error="no node fits"),
    ]
    sent = await ask(cluster, "GET", "/swarmcore/decisions?limit=1")
    assert sent == [
        {
            "Time": "2020-01-01T00:00:00.000+00:00",
            "Name": "web",
            "Image": "nginx",
            "Cause": "create",
            "Node": "n1",
            "Asked": 3,
            "Fitting": 2,
            "Refused": {"memory": 1},
            "Dropped": [],
            "AboutImage": "",
            "Error": "",
            "Failure": "",
        }
    ]
    assert len(await ask(cluster, "GET", "/swarmcore/decisions")) == 2
    for limit in ("-1", "x", "٣"):
        with pytest.raises(BadRequest, match="limit="):
            await ask(cluster, "GET", f"/swarmcore/decisions?limit={limit}")


async def test_creates_that_wait_are_listed(cluster):
    cluster.queue = [WaitingCreate("web", "nginx", 5, 12.345, 47.7, 2)]
    assert await ask(cluster, "GET", "/swarmcore/queue") == [
        {
            "Name": "web",
            "Image": "nginx",
            "Priority": 5,
            "WaitedSeconds": 12.3,
            "LeftSeconds": 47.7,
            "Overtaken": 2,
        }
    ]


async def test_a_drain_may_move_containers(cluster):
    sent = await ask(cluster, "POST", "/swarmcore/nodes/db/drain", {"Move": True})
    assert sent["Drained"]["Move"] is True
    sent = await ask(cluster, "POST", "/swarmcore/nodes/db/drain", {})
    assert sent["Drained"]["Move"] is False


@pytest.mark.parametrize("value", ["yes", 1, []])
async def test_move_is_a_boolean(cluster, value):
    with pytest.raises(BadRequest, match="Move must be true or false"):
        await ask(cluster, "POST", "/swarmcore/nodes/db/drain", {"Move": value})
    assert all(node.drained is None for node in cluster.nodes())


async def test_moves_are_shown(cluster):
    cluster.moves.records = [
        MoveRecord(
            "a" * 64, "web", "n1", "ID-1", "n2", "b" * 64, "moved", attempts=2, time=1_577_836_800
        )
    ]
    assert await ask(cluster, "GET", "/swarmcore/moves") == [
        {
            "ID": "a" * 64,
            "Name": "web",
            "Source": "n1",
            "Target": "n2",
            "CopyID": "b" * 64,
            "State": "moved",
            "Error": "",
            "Attempts": 2,
            "Unfinished": False,
            "Time": "2020-01-01T00:00:00.000+00:00",
        }
    ]
