"""Lists of volumes, their names, and the nodes that have a name."""

import pytest
import trio
from swarmcore_api_docker.volumes.find import find_volume, nodes_with_volume
from swarmcore_api_docker.volumes.listing import list_volumes, silent_node_warnings

from swarmcore.errors import BadRequest, NotFound
from swarmcore.list_filters import Filters
from swarmcore.testing.builders import a_container, a_node

SPANNING = {"Name": "files", "Driver": "nfs", "Scope": "global", "Labels": {"tier": "slow"}}


@pytest.fixture
def nodes():
    made = [a_node("n1", volumes=["data", "same"]), a_node("n2", volumes=["same"])]
    for node in made:
        node.volumes = {**node.volumes, "files": SPANNING}
    return made


def shown(nodes, **filters):
    return sorted(item["Name"] for item in trio.run(list_volumes, nodes, Filters.of(filters)))


def silence(node):
    node.failures = node.failure_limit


def test_an_unambiguous_name_is_shown_without_node(nodes):
    assert shown(nodes) == ["data", "files", "n1/same", "n2/same"]
    assert shown(nodes[1:]) == ["files", "same"]


def test_a_silent_node_hides_its_volumes_and_is_named(nodes):
    assert silent_node_warnings(nodes) is None
    silence(nodes[0])
    assert shown(nodes) == ["files", "n2/same"]
    assert silent_node_warnings(nodes) == ["node n1 does not answer: its volumes are left out"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": ["dat"]}, ["data"]),
        ({"driver": ["nfs"]}, ["files"]),
        ({"label": ["tier"]}, ["files"]),
        ({"label": ["tier=slow"]}, ["files"]),
        ({"label": ["tier=fast"]}, []),
        ({"node": ["n2"]}, ["files", "n2/same"]),
        ({"dangling": ["true"]}, ["data", "files", "n2/same"]),
        ({"dangling": ["false"]}, ["n1/same"]),
    ],
    ids=str,
)
def test_filters(nodes, filters, names):
    user = a_container("user", state="exited", node=nodes[0])
    user.summary["Mounts"] = [{"Type": "volume", "Name": "same"}, {"Type": "bind"}]
    assert shown(nodes, **filters) == names


def test_a_bad_filter(nodes):
    with pytest.raises(BadRequest, match="invalid filter 'scope'"):
        trio.run(list_volumes, nodes, Filters.of({"scope": ["local"]}))


@pytest.mark.parametrize(
    ("text", "names"),
    [("same", ["n1", "n2"]), ("n2/same", ["n2"]), ("n2/data", []), ("ghost", [])],
)
def test_holders(nodes, text, names):
    assert [node.name for node in nodes_with_volume(nodes, text)] == names


def test_the_volume_that_a_text_means(nodes):
    for text, node, name in [
        ("data", "n1", "data"), ("n2/same", "n2", "same"), ("files", "n1", "files"),
    ]:  # fmt: skip
        found, own = find_volume(nodes, text)
        assert (found.name, own) == (node, name)
    with pytest.raises(NotFound, match="get ghost: no such volume"):
        find_volume(nodes, "ghost")
    with pytest.raises(NotFound, match="write n1/same or n2/same"):
        find_volume(nodes, "same")


def test_a_volume_that_spans_nodes_is_asked_of_one_that_answers(nodes):
    silence(nodes[0])
    assert find_volume(nodes, "files")[0].name == "n2"
