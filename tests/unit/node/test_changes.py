"""Which changes of a node are noted, so that what was kept about it is not used any more."""

import pytest

from swarmcore.model import Drain, FailedPulls, NodeSettings, State
from swarmcore.node import ALL_ASPECTS, Aspect, ChangeLog
from swarmcore.testing.builders import a_container, a_node, a_reservation, an_id
from swarmcore.versions import FLOOR

FAILED = {"": FailedPulls("", 1, "app", "no space left on device", 0.0, 600.0)}


def watched(**state):
    node, log = a_node(**state), ChangeLog()
    node.watch(log)
    return node, log


def noted(log):
    return {aspect for aspect in Aspect if log.since(0, (aspect,))}


def assign(attribute, value):
    return lambda node: setattr(node, attribute, value)


CHANGES = {
    Aspect.MACHINE: {
        "labels": assign("labels", {"zone": "b"}),
        "an operator's labels": lambda node: node.apply(NodeSettings(None, {"zone": "b"})),
        "info": assign("info", {"OSType": "windows"}),
        "name": assign("name", "other"),
        "id": assign("id", "other"),
        "cpus": assign("cpus", 64),
        "memory": assign("memory", 1),
        "overcommit": assign("overcommit", 0.5),
        "API version": assign("api_version", FLOOR),
    },
    Aspect.HEALTH: {
        "state": assign("state", State.UNHEALTHY),
        "failures": assign("failures", 1),
        "failure limit": assign("failure_limit", 1),
        "drain": lambda node: node.apply(NodeSettings(Drain("update"))),
    },
    Aspect.CONTAINERS: {
        "new": lambda node: node.put_container(a_container("db")),
        "ended": lambda node: node.put_container(a_container("web", state="exited")),
        "removed": lambda node: node.drop_container(an_id("container web")),
        "reserved": lambda node: node.reserve(a_reservation("db")),
        "released": lambda node: node.release(an_id("soon")),
        "not started": lambda node: node.give_up_start(an_id("container new")),
    },
    Aspect.IMAGES: {
        "images": assign("images", {}),
        "moved names": assign("moved_names", {"busybox:latest": "sha256:1"}),
        "failed pulls": assign("failed_pulls", FAILED),
    },
}


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        pytest.param(change, aspect, id=name)
        for aspect, changes in CHANGES.items()
        for name, change in changes.items()
    ],
)
def test_a_change_is_noted_by_its_aspect_only(change, aspect):
    node, log = watched(
        containers=["web", a_container("new", state="created", ports=["80:80"])],
        reservations=[a_reservation("soon")],
    )
    change(node)
    assert noted(log) == {aspect}


def test_leaving_containers_out_and_counting_them_again_are_changes():
    node, log = watched(containers=["web"])
    with node.without(node.containers.keys()):
        inside = log.number
        assert inside > 0
    assert log.since(inside, (Aspect.CONTAINERS,)) == {node}


def test_a_value_that_is_assigned_again_is_no_change():
    node, log = watched()
    node.state, node.failures, node.name = State.HEALTHY, 0, node.name
    assert log.number == 0


def test_a_log_has_the_nodes_that_changed_since_a_number():
    log, nodes = ChangeLog(), [a_node(f"n{number}") for number in range(3)]
    for node in nodes:
        node.watch(log)
    nodes[0].failures = nodes[1].failures = 1
    number = log.number
    nodes[2].failures = 1
    nodes[0].labels = {"zone": "b"}
    assert log.since(number, ALL_ASPECTS) == {nodes[0], nodes[2]}
    assert log.since(number, (Aspect.HEALTH,)) == {nodes[2]}
    assert log.since(log.number, ALL_ASPECTS) == set()


def test_a_node_is_watched_until_it_is_not():
    node, first = watched()
    second = ChangeLog()
    node.watch(second)
    node.unwatch(first)
    node.failures = 1
    assert (first.number, second.number) == (0, 1)
