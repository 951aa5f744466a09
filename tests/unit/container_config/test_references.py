"""The objects that a body refers to, and the same objects on one node."""

import pytest

from swarmcore.container_config.references import (
    find_container,
    find_network,
    joined_containers,
    named_networks,
    named_volumes,
)
from swarmcore.testing.builders import a_config, a_container, a_node

SWARM_ID = "5" * 64
DB = a_container("db", labels={"com.docker.swarm.id": SWARM_ID}, links=["web/store"])
BEGINNINGS = (DB.id, DB.id[:12], DB.id[:4], SWARM_ID, SWARM_ID[:12], SWARM_ID[:3])
NODE = a_node("n1", containers=[DB, "web"], networks=["net"], volumes=["data"])


@pytest.mark.parametrize(
    "text",
    ["db", "/db", "n1/db", f"{NODE.id}/db", "web/store", *BEGINNINGS],
)
def test_a_container_is_found_by(text):
    assert find_container(NODE, text).name == "db"


@pytest.mark.parametrize("text", ["", "/", "n1/", "n2/db", "ghost", "d"])
def test_no_container_is_found_by(text):
    assert find_container(NODE, text) is None


def test_the_beginning_of_several_ids_means_no_container():
    node = a_node(containers=[f"c{number}" for number in range(17)])  # more than hex digits
    found = [find_container(node, digit) for digit in "0123456789abcdef"]
    assert None in found
    assert all(each is None or each.id for each in found)


def test_a_network_is_found_by_name_id_and_beginning():
    (id,) = [id for id, network in NODE.networks.items() if network["Name"] == "net"]
    for text in ("net", "n1/net", id, id[:12]):
        assert find_network(NODE, text)["Id"] == id
    for text in ("", "n2/net", "ghost"):
        assert find_network(NODE, text) is None


def test_joined_namespaces():
    modes = {"NetworkMode": "container:a", "IpcMode": "container:b", "PidMode": "host"}
    assert joined_containers(modes) == ("a", "b")
    assert joined_containers({"NetworkMode": 3, "IpcMode": None, "PidMode": "container:"}) == ()


@pytest.mark.parametrize(
    ("mode", "endpoints", "names"),
    [
        ("net", None, ("net",)),
        ("net", {"net": {}, "back": None}, ("net", "back")),
        ("default", {"default": {}}, ()),
        ("container:a", {}, ()),
        ("host", [], ()),
        (None, {"n1/net": {}}, ("n1/net",)),
    ],
    ids=str,
)
def test_networks(mode, endpoints, names):
    assert named_networks({"NetworkMode": mode}, {"EndpointsConfig": endpoints}) == names


@pytest.mark.parametrize(
    ("bind", "names"),
    [
        ("data:/d", ("data",)),
        ("data:/d:ro", ("data",)),
        ("n1/data:/d", ("n1/data",)),
        ("/data:/d", ()),
        ("./data:/d", ()),
        ("~/data:/d", ()),
        (r"c:\data:/d", ()),
        ("/d", ()),
        (3, ()),
    ],
    ids=str,
)
def test_volumes_of_binds(bind, names):
    assert named_volumes({"Binds": [bind]}) == names


def test_volumes_of_mounts():
    mounts = [
        {"Type": "volume", "Source": "data"},
        {"Type": "volume"},
        {"Type": "bind", "Source": "x"},
        "nonsense",
    ]
    assert named_volumes({"Mounts": mounts, "Binds": None}) == ("data",)
    assert named_volumes({"Mounts": "nonsense", "Binds": "nonsense"}) == ()


def test_an_engine_gets_names_that_it_knows():
    config = a_config(
        body={
            "HostConfig": {
                "NetworkMode": f"container:{SWARM_ID}",
                "Links": [f"{SWARM_ID[:12]}:alias", SWARM_ID, "n1/db", "db:d"],
                "VolumesFrom": [f"{SWARM_ID}:ro", f"n1/{DB.id[:9]}"],
                "Binds": ["n1/data:/d:ro", "/n1/data:/e"],
                "Mounts": [
                    {"Type": "volume", "Source": "n1/data"},
                    {"Type": "bind", "Source": "n1/x"},
                ],
            }
        }
    )
    sent = config.body_for(NODE)["HostConfig"]
    assert sent["NetworkMode"] == f"container:{DB.id}"
    assert sent["Links"] == [f"{DB.id}:alias", f"{DB.id}:{SWARM_ID}", "db", "db:d"]
    assert sent["VolumesFrom"] == [f"{DB.id}:ro", DB.id[:9]]
    assert sent["Binds"] == ["data:/d:ro", "/n1/data:/e"]
    assert [mount["Source"] for mount in sent["Mounts"]] == ["data", "n1/x"]


def test_volumes_that_exist_on_some_node_are_known():
    config = a_config(body={"HostConfig": {"Binds": ["data:/d", "new:/e"]}})
    assert config.held_volumes == ()
    assert config.informed_by([a_node("n2"), NODE]).held_volumes == ("data",)


def test_a_name_means_its_container_before_the_short_id_of_another():
    other = a_container("other")
    named = a_container(other.id[:12])
    node = a_node("n1", containers=[other, named])
    assert find_container(node, other.id[:12]).id == named.id
    assert find_container(node, other.id[:11]).id == other.id
