"""Which engines can make a network that spans engines."""

from types import SimpleNamespace

import pytest
from swarmcore_api_docker.networks.spanning import able_makers, nodes_with_endpoints

from swarmcore.testing.builders import a_container, a_node


def swarm(*managers, manages=False):
    return {
        "Swarm": {
            "LocalNodeState": "active",
            "ControlAvailable": manages,
            "RemoteManagers": [{"NodeID": each} for each in managers],
        }
    }


STORE = {"ClusterStore": "etcd://a:2379"}
INFOS = {
    "m1": swarm("m1", manages=True),
    "w1": swarm("m1"),
    "m2": swarm("m2", manages=True),
    "s1": STORE,
    "s2": STORE,
    "plain": {},
}


def engines(*names):
    found = []
    for name in names or INFOS:
        node = a_node(name)
        node.info = {**node.info, **INFOS[name]}
        found.append(SimpleNamespace(node=node))
    return found


def names_of(found):
    return [engine.node.name for engine in found]


OVERLAY = {"Driver": "overlay"}
ATTACHABLE = {**OVERLAY, "Attachable": True}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, []),
        ({"Driver": "bridge"}, []),
        ({"Driver": None, "Scope": None}, []),
        (ATTACHABLE, ["m1", "m2"]),
        (OVERLAY, ["s1", "s2"]),
        ({**OVERLAY, "Scope": "swarm"}, ["m1", "m2"]),
        ({**ATTACHABLE, "Scope": "global"}, ["s1", "s2"]),
        ({"Driver": "macvlan", "Scope": "swarm", "ConfigFrom": {"Network": "x"}}, ["m1", "m2"]),
        ({**OVERLAY, "Scope": "local"}, []),
    ],
    ids=str,
)
def test_the_engines_that_can_make_a_network(body, expected):
    assert names_of(able_makers(engines(), body, None)) == expected


@pytest.mark.parametrize(
    ("among", "body", "expected"),
    [
        (["m1", "w1", "plain"], OVERLAY, ["m1"]),
        (["s1", "plain"], ATTACHABLE, ["s1"]),
        (["w1", "plain"], ATTACHABLE, []),
        (["plain"], ATTACHABLE, []),
    ],
    ids=str,
)
def test_engines_of_one_kind_make_every_network(among, body, expected):
    assert names_of(able_makers(engines(*among), body, None)) == expected


@pytest.mark.parametrize(
    ("pinned", "expected"),
    [("w1", ["m1"]), ("m2", ["m2"]), ("s2", ["s1", "s2"]), ("plain", [])],
)
def test_a_node_in_the_name_chooses_the_store_or_swarm(pinned, expected):
    among = engines()
    (node,) = (each.node for each in among if each.node.name == pinned)
    assert names_of(able_makers(among, ATTACHABLE, node)) == expected


def test_an_engine_that_does_not_answer_is_not_chosen():
    among = engines("m1", "m2")
    among[0].node.failures = among[0].node.failure_limit
    assert names_of(able_makers(among, ATTACHABLE, None)) == ["m2"]


def test_the_nodes_with_containers_on_a_network():
    def on(state, *networks):
        container = a_container(f"c-{state}", state=state)
        settings = {"Networks": {each: {"NetworkID": each} for each in networks}}
        container.detail["NetworkSettings"] = settings
        return container

    nodes = [
        a_node("n1", containers=[on("running", "mesh", "web")]),
        a_node("n2", containers=[on("exited", "mesh")]),
        a_node("n3", containers=[on("running", "web")]),
        a_node("n4", containers=[on("paused", "mesh")]),
    ]
    assert [node.name for node in nodes_with_endpoints(nodes, "mesh")] == ["n1", "n4"]
