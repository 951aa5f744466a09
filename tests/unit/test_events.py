"""Events get their node, and the fields that old clients need."""

import json

import pytest

from swarmcore.events import cluster_event, read_event
from swarmcore.node import Node

ID = "c" * 64


@pytest.fixture
def node():
    node = Node("EID|10.0.0.1:2375", "10.0.0.1:2375")
    node.name, node.ip = "n1", "10.0.0.1"
    return node


def line(**fields):
    return json.dumps({"time": 7, "timeNano": 7_000_000_001, **fields}).encode()


def container_event(action="start", **fields):
    actor = {"ID": ID, "Attributes": {"image": "busybox", "name": "web"}}
    return line(Type="container", Action=action, Actor=actor, scope="local", **fields)


def test_the_node_is_added_beside_what_the_engine_said(node):
    event = read_event(container_event(**{"from": "busybox", "id": ID, "status": "start"}), node)
    assert event.attributes == {
        "image": "busybox", "name": "web", "node.name": "n1", "node.id": "EID|10.0.0.1:2375",
        "node.addr": "10.0.0.1:2375", "node.ip": "10.0.0.1",
    }  # fmt: skip
    assert event.raw["Actor"]["Attributes"] == event.attributes
    assert event.raw["from"] == "busybox"
    assert event.raw["node"] == {
        "Name": "n1", "Id": "EID|10.0.0.1:2375", "Addr": "10.0.0.1:2375", "Ip": "10.0.0.1",
    }  # fmt: skip
    assert (event.type, event.action, event.actor_id, event.node_id) == (
        "container", "start", ID, node.id,
    )  # fmt: skip
    assert event.time_nano == 7_000_000_001


def test_fields_that_new_engines_leave_out_are_filled_in(node):
    raw = read_event(container_event("exec_create: sh -c true"), node).raw
    assert (raw["id"], raw["status"]) == (ID, "exec_create: sh -c true")
    assert raw["from"] == "busybox"


def test_a_network_event_gets_no_container_fields(node):
    raw = read_event(line(Type="network", Action="create", Actor={"ID": "n"}), node).raw
    assert "id" not in raw
    assert "status" not in raw


def test_an_action_with_a_suffix_has_its_verb(node):
    assert read_event(container_event("health_status: healthy"), node).verb == "health_status"


def test_an_ancient_event_is_understood(node):
    event = read_event(line(status="die", id=ID, **{"from": "busybox"}), node)
    assert (event.type, event.action, event.actor_id) == ("container", "die", ID)


@pytest.mark.parametrize("text", [b"", b"not json", b"[]", b"1", b'"x"'], ids=str)
def test_malformed_events_are_ignored(node, text):
    assert read_event(text, node) is None


def test_the_clusters_own_events_are_of_type_swarm(node):
    event = cluster_event("engine_connect", node, 5_000_000_002)
    assert (event.raw["Type"], event.raw["status"], event.raw["time"]) == (
        "swarm", "engine_connect", 5,
    )  # fmt: skip
    assert event.raw["from"] == "swarm"
    assert event.attributes["node.name"] == "n1"
    assert "id" not in event.raw
