"""Which networks and volumes of a node can be moved to another node."""

import pytest
from swarmcore_filter_constraint import ConstraintFilter
from swarmcore_filter_dependency import DependencyFilter
from swarmcore_strategy_spread import Spread

from swarmcore.container_config.references import find_loose, leaving_for
from swarmcore.model import GiB, State
from swarmcore.node.volume_history import VolumeHistory, made_seconds, read_events
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation


def volume(name, **fields):
    return {"Name": name, "Driver": "local", "Scope": "local", "Options": None, **fields}


def with_volume(node, **fields):
    """Return *node*, which has just made the volume ``data``."""
    node.volumes = {}
    node.volumes = {"data": volume("data", **fields)}
    return node


def network_of(node, name):
    (found,) = [each for each in node.networks.values() if each["Name"] == name]
    return found


def change_network(node, name, **fields):
    document = {**network_of(node, name), **fields}
    node.networks = {**node.networks, document["Id"]: document}


def test_a_new_volume_in_the_list_can_move():
    node = with_volume(a_node())
    assert node.objects.is_loose_volume("data")
    assert not node.objects.is_loose_volume("other")


def test_a_volume_of_the_first_list_cannot_move():
    assert not a_node(volumes=["data"]).objects.is_loose_volume("data")


@pytest.mark.parametrize(
    "fields",
    [
        {"Driver": "nfs-plugin"},
        {"Scope": "global"},
        {"Options": {"type": "none", "o": "bind", "device": "/srv"}},
        {"Options": {"type": "ext4", "device": "/dev/sdb"}},
        {"Labels": {"com.docker.swarm.constraints": '["node==n1"]'}},
    ],
)
def test_a_volume_bound_to_its_node_cannot_move(fields):
    assert not with_volume(a_node(), **fields).objects.is_loose_volume("data")


@pytest.mark.parametrize(
    "options",
    [
        {"type": "tmpfs", "device": "tmpfs"},
        {"type": "nfs", "o": "addr=10.0.0.1", "device": ":/srv"},
        {"size": "1g"},
    ],
)
def test_a_volume_with_external_content_can_move(options):
    assert with_volume(a_node(), Options=options).objects.is_loose_volume("data")


def test_a_volume_that_was_mounted_cannot_move():
    node = with_volume(a_node())
    fresh = node.objects.volume_history
    fresh.note_event("mount", "data")
    fresh.note_event("unmount", "data")
    assert not node.objects.is_loose_volume("data")
    fresh.note_event("destroy", "data")
    node.volumes = {"data": volume("data")}
    assert node.objects.is_loose_volume("data")


def test_a_volume_cannot_move_after_a_time_without_events():
    node = with_volume(a_node())
    node.objects.volume_history.restart()
    node.volumes = {"data": volume("data"), "new": volume("new")}
    assert not node.objects.is_loose_volume("data")
    assert node.objects.is_loose_volume("new")


MADE = {"data": 100}


@pytest.mark.parametrize(
    ("events", "fresh"),
    [
        ([("create", "data", 100)], True),
        ([("create", "data", 101)], True),
        ([], False),
        ([("create", "other", 100)], False),
        ([("create", "data", 100), ("mount", "data", 102), ("unmount", "data", 103)], False),
        ([("mount", "data", 98), ("destroy", "data", 99), ("create", "data", 100)], True),
        # A 20.10 tells of a create also where the volume exists.
        ([("create", "data", 150)], False),
        ([("mount", "data", 100), ("create", "data", 100)], False),
    ],
)
def test_remembered_events_tell_whether_a_volume_was_used(events, fresh):
    history = VolumeHistory()
    history.note_list(MADE)
    history.recall(events, MADE)
    assert history.is_unused("data") is fresh


def test_remembered_events_do_not_undo_a_seen_mount():
    history = VolumeHistory()
    history.note_list(MADE)
    history.note_event("mount", "data")
    history.recall([("create", "data", 100)], MADE)
    assert not history.is_unused("data")


def test_events_and_moments_are_read_as_engines_write_them():
    event = {"Type": "volume", "Action": "create", "Actor": {"ID": "data"}, "time": 100}
    assert read_events([event, {"Type": "network"}, {}]) == [("create", "data", 100)]
    assert made_seconds({"CreatedAt": "1970-01-01T00:01:40Z"}) == 100
    assert made_seconds({"CreatedAt": "1970-01-01T01:01:40+01:00"}) == 100
    assert made_seconds({"CreatedAt": ""}) is made_seconds({}) is None


def member(**host):
    return a_container("member", body={"HostConfig": host})


def test_a_network_without_containers_can_move():
    node = a_node(networks=["web"])
    assert node.objects.is_loose_network(network_of(node, "web"))
    for name in ("bridge", "host", "none"):
        assert not node.objects.is_loose_network(network_of(node, name))


@pytest.mark.parametrize("state", ["created", "running", "exited"])
def test_a_network_with_a_container_in_any_state_cannot_move(state):
    container = a_container("user", state=state, body={"HostConfig": {"NetworkMode": "web"}})
    node = a_node(networks=["web"], containers=[container])
    assert not node.objects.is_loose_network(network_of(node, "web"))
    node.drop_container(container.id)
    assert node.objects.is_loose_network(network_of(node, "web"))


@pytest.mark.parametrize(
    "fields",
    [
        {"Scope": "swarm"},
        {"Ingress": True},
        {"ConfigOnly": True},
        {"ConfigFrom": {"Network": "config"}},
        {"Labels": {"com.docker.swarm.affinities": "[]"}},
    ],
)
def test_other_networks_than_own_bridges_cannot_move(fields):
    node = a_node(networks=["web"])
    change_network(node, "web", **fields)
    assert not node.objects.is_loose_network(network_of(node, "web"))


def test_an_object_whose_move_failed_stays_until_the_next_list():
    node = with_volume(a_node(networks=["web"]))
    node.objects.keep(("volume", "data"))
    node.objects.keep(("network", "web"))
    assert find_loose(["data"], ["web"], [node]) == {}
    node.volumes, node.networks = dict(node.volumes), dict(node.networks)
    assert find_loose(["data"], ["web"], [node]) == {
        ("volume", "data"): node,
        ("network", "web"): node,
    }


def test_objects_of_two_nodes_or_of_a_dead_node_cannot_move():
    n1, n2 = a_node("n1", networks=["web"]), a_node("n2", networks=["web"])
    assert find_loose([], ["web"], [n1]) == {("network", "web"): n1}
    assert find_loose([], ["web"], [n1, n2]) == {}
    assert find_loose([], ["n1/web"], [n1]) == {}
    n1.state = State.UNHEALTHY
    assert find_loose([], ["web"], [n1]) == {}


def test_a_moving_object_counts_for_its_new_node():
    n1, n2 = with_volume(a_node("n1", networks=["web"])), a_node("n2")
    config = a_config(body={"HostConfig": {"Binds": ["data:/d"], "NetworkMode": "web"}})
    assert set(config.informed_by([n1, n2]).loose) == {("volume", "data"), ("network", "web")}
    leaving = list(leaving_for(n2, config.volumes, config.networks, [n1, n2]))
    assert leaving == [(n1, ("volume", "data")), (n1, ("network", "web"))]
    for node, thing in leaving:
        node.objects.let_go(thing, "reservation")
    n2.reserve(a_reservation("user", volumes=["data"]))
    informed = config.informed_by([n1, n2])
    assert (informed.loose, informed.held_volumes) == ({}, ("data",))
    assert (n1.has_volume("data"), n2.has_volume("data")) == (False, True)
    for node, thing in leaving:
        node.objects.take_back(thing, "reservation")
    assert n1.has_volume("data")


def placed(config, *nodes):
    decision = Scheduler(Spread(), [DependencyFilter()]).decide(config.informed_by(nodes), nodes)
    return decision.node.name


def test_a_container_goes_where_the_fewest_objects_have_to_move():
    n1, n2, n3 = with_volume(a_node("n1")), a_node("n2", networks=["web"]), a_node("n3")
    both = {"HostConfig": {"Binds": ["data:/d"], "NetworkMode": "web"}}
    assert placed(a_config(body=both), n3, n2, n1) == "n1"
    assert placed(a_config(body={"HostConfig": {"NetworkMode": "web"}}), n1, n2, n3) == "n2"
    assert placed(a_config(), n1, n2, n3) == "n1"


def test_a_container_that_may_not_go_there_goes_elsewhere():
    n1, n2 = with_volume(a_node("n1", memory=1 * GiB)), a_node("n2")
    constraint = ["constraint:node!=n1"]
    config = a_config(env=constraint, body={"HostConfig": {"Binds": ["data:/d"]}})
    chain = [DependencyFilter(), ConstraintFilter()]
    decision = Scheduler(Spread(), chain).decide(config.informed_by([n1, n2]), [n1, n2])
    assert decision.node is n2


def test_unused_objects_count_for_new_objects_and_not_for_containers():
    n1, n2 = a_node("n1", networks=["web"]), a_node("n2")
    spread = Spread()
    assert [spread.weigh(a_config(""), node)[1] for node in (n1, n2)] == [-1, 0]
    assert spread.weigh(a_config(), n1) == spread.weigh(a_config(), n2)


def test_hidden_objects_are_not_listed():
    node = with_volume(a_node(networks=["web"]))
    for thing in (("volume", "data"), ("network", "web")):
        node.objects.hide(thing)
    assert not node.volumes
    assert "web" not in {each["Name"] for each in node.networks.values()}
    node.volumes = {"data": volume("data"), "more": volume("more")}
    assert list(node.volumes) == ["more"]
    node.objects.show(("volume", "data"))
    assert list(node.volumes) == ["data", "more"]


def test_unused_objects_are_counted():
    container = member(NetworkMode="web")
    node = with_volume(a_node(networks=["web", "back"], containers=[container]))
    assert node.objects.unused_count == 2
