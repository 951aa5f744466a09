"""Which nodes can use an object that spans engines, and how requests name it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.container_config.engine_body import endpoints_without_prefixes, without_prefixes
from swarmcore.container_config.references import find_network
from swarmcore.node import Spanning
from swarmcore.node.spanning import Ties, read_ties
from swarmcore.testing.builders import a_node


def swarm(cluster, *managers, role="worker"):
    """Return ``info`` of a member; a worker knows the managers, but not the swarm's id."""
    told = {
        "LocalNodeState": "active",
        "ControlAvailable": role == "manager",
        "RemoteManagers": [{"NodeID": manager, "Addr": f"{manager}:2377"} for manager in managers],
    }
    return {"Swarm": {**told, "Cluster": {"ID": cluster}} if role == "manager" else told}


def store(url):
    return {"ClusterStore": url, "Swarm": {"LocalNodeState": "inactive"}}


def network(id, name, scope="global"):
    return {id: {"Id": id, "Name": name, "Scope": scope, "Driver": "overlay"}}


def volume(name, driver="nfs", scope="global"):
    return {name: {"Name": name, "Driver": driver, "Scope": scope}}


def cluster(*infos):
    """Return nodes ``n0``, ``n1``, ... of one cluster."""
    shared = Spanning()
    nodes = [a_node(f"n{number}", spanning=shared) for number in range(len(infos))]
    for node, info in zip(nodes, infos, strict=True):
        node.info = {**node.info, **info}
    return nodes


def reaching(nodes, text):
    return [node.name for node in nodes if find_network(node, text) is not None]


def test_engines_of_one_store_reach_its_networks_whichever_members_they_name():
    nodes = cluster(
        store("etcd://a:1,b:1"), store("etcd://b:1"), store("etcd://b:1/other"), store(""), {}
    )
    nodes[0].networks = network("f00d" * 16, "ov")
    assert reaching(nodes, "ov") == reaching(nodes, "f00d" * 16) == ["n0", "n1"]
    nodes[0].networks = {}
    assert reaching(nodes, "ov") == []


def test_members_of_one_swarm_reach_its_networks_workers_too():
    nodes = cluster(
        swarm("c1", "m1", "m2", role="manager"), swarm("", "m2"), swarm("", "m3"),
        swarm("c1", "m4", role="manager"), {"Swarm": {"LocalNodeState": "inactive"}},
    )  # fmt: skip
    nodes[0].networks = network("abc123", "mesh", "swarm")
    assert reaching(nodes, "mesh") == ["n0", "n1", "n3"]


def test_an_engine_that_joins_reaches_at_once_what_others_list():
    nodes = cluster(swarm("c1", "m1", role="manager"), {})
    nodes[0].networks = network("abc123", "mesh", "swarm")
    assert reaching(nodes, "mesh") == ["n0"]
    nodes[1].info = {**nodes[1].info, **swarm("", "m1")}
    assert reaching(nodes, "mesh") == ["n0", "n1"]


def test_a_network_of_local_scope_belongs_to_its_engine():
    nodes = cluster(store("etcd://a:1"), store("etcd://a:1"))
    nodes[0].networks = network("f00d" * 16, "web", "local")
    assert reaching(nodes, "web") == ["n0"]


def test_a_volume_is_reached_by_engines_that_have_its_driver():
    plugins = {"Plugins": {"Volume": ["local", "nfs"]}}
    nodes = cluster({}, plugins, {"Plugins": {"Volume": ["local"]}}, {})
    nodes[0].volumes = volume("files")
    nodes[3].volumes = volume("more")
    assert [node.name for node in nodes if node.has_volume("files")] == ["n0", "n1", "n3"]
    nodes[0].volumes = volume("files", scope="local")
    assert [node.name for node in nodes if node.has_volume("files")] == ["n0"]


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("mesh", "mesh"),
        ("abc123def456", "abc123def456"),
        ("abc12", "abc123def456"),  # a worker does not complete it
        ("n0/mesh", "mesh"),
        ("n1/mesh", "mesh"),
        ("n0/abc123def456", "abc123def456"),
        ("n2/mesh", "n2/mesh"),
        ("bridge", "bridge"),
        ("default", "default"),
        ("ghost", "ghost"),
        ("", ""),
    ],
)
def test_an_engine_gets_a_name_or_id_of_a_network_that_it_knows(text, there):
    n0, n1, _ = cluster(swarm("c1", "m1", role="manager"), swarm("", "m1"), {})
    n0.networks = network("abc123def456", "mesh", "swarm")
    assert without_prefixes({"NetworkMode": text}, n1) == {"NetworkMode": there}
    assert endpoints_without_prefixes({text: {}}, n1) == {there: {}}


def test_an_engine_completes_ids_of_what_it_lists_itself():
    (n0,) = cluster(store("etcd://a:1"))
    n0.networks = network("f00d" * 16, "ov")
    assert without_prefixes({"NetworkMode": "f00d"}, n0) == {"NetworkMode": "f00d"}


@pytest.mark.parametrize(
    "info",
    [
        {}, {"Swarm": None}, {"Swarm": []}, {"Swarm": {"LocalNodeState": "active"}},
        {"Swarm": {"LocalNodeState": "active", "RemoteManagers": None, "Cluster": None}},
        {"ClusterStore": None}, {"ClusterStore": "etcd"}, {"ClusterStore": "etcd://"},
        {"Plugins": None}, {"Plugins": {"Volume": None}}, {"Plugins": {"Volume": ["local"]}},
    ],
    ids=str,
)  # fmt: skip
def test_an_engine_that_shares_nothing_has_no_ties(info):
    ties = read_ties(info, [{"Name": "data", "Driver": "local"}])
    assert ties == Ties()


# ---- every sequence of changes leaves what the lists say

INFOS = (
    {},
    store("etcd://a:1,b:1"),
    store("etcd://b:1"),
    store("etcd://c:1"),
    swarm("c1", "m1", "m2", role="manager"),
    swarm("", "m2"),
    swarm("c2", "m3", role="manager"),
    {"Plugins": {"Volume": ["nfs"]}},
)
NETWORKS = {
    **network("id1", "one"), **network("id2", "two", "swarm"), **network("id3", "one", "swarm"),
    **network("id4", "own", "local"),
}  # fmt: skip
VOLUMES = {**volume("files"), **volume("disk", "ebs"), **volume("data", "local", "local")}
PLACES = 4


def some(objects):
    return st.sets(st.sampled_from(sorted(objects))).map(lambda keys: {k: objects[k] for k in keys})


CHANGES = st.lists(
    st.tuples(
        st.integers(0, PLACES - 1),
        st.one_of(
            st.tuples(st.just("info"), st.sampled_from(INFOS)),
            st.tuples(st.just("networks"), some(NETWORKS)),
            st.tuples(st.just("volumes"), some(VOLUMES)),
        ),
    ),
    max_size=20,
)


@given(CHANGES)
def test_reach_follows_from_the_current_lists_and_ties(changes):
    nodes = cluster(*({} for _ in range(PLACES)))
    for place, (field, value) in changes:
        setattr(nodes[place], field, value)
    for node in nodes:
        for id in NETWORKS:
            assert (find_network(node, id) is not None) == expects_network(nodes, node, id)
        for name in VOLUMES:
            assert node.has_volume(name) == expects_volume(nodes, node, name)
    for node in nodes:
        node.networks = node.volumes = {}
    assert nodes[0].spanning == Spanning()


def expects_network(nodes, node, id):
    tie = {"global": "store", "swarm": "swarm"}.get(NETWORKS[id]["Scope"])
    return id in node.networks or any(
        tie and id in other.networks and getattr(other.ties, tie) & getattr(node.ties, tie)
        for other in nodes
    )


def expects_volume(nodes, node, name):
    spans, driver = VOLUMES[name]["Scope"] == "global", VOLUMES[name]["Driver"]
    return name in node.volumes or any(
        spans and name in other.volumes and driver in node.ties.drivers for other in nodes
    )
