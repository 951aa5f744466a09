"""Which nodes a container can run on, by the objects that it names."""

import pytest
from swarmcore_filter_dependency import DependencyFilter

from swarmcore.errors import NoNodeFits
from swarmcore.protocols import Rule
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node, a_reservation

SWARM_ID = "5" * 64
DB = a_container("db", labels={"com.docker.swarm.id": SWARM_ID})
NETWORK = "web_default"


def nodes():
    front, back = a_member("front", NETWORK), a_member("back", "back")
    n1 = a_node("n1", containers=[DB, front], networks=[NETWORK], volumes=["data", "shared"])
    n2 = a_node("n2", containers=[back], networks=["back"], volumes=["shared"])
    return n1, n2, a_node("n3")


def a_member(name, network):
    """Return a container on the network; a network without containers could be moved."""
    return a_container(name, body=host(NetworkMode=network))


def fitting(*among, **body):
    """Return the names of the nodes on which a container with this body can run."""
    config = a_config(body=body).informed_by(among)
    rules = list(DependencyFilter().rules(config))
    return [node.name for node in among if all(rule.check(node) is None for rule in rules)]


def host(**fields):
    return {"HostConfig": fields}


def endpoints(*names):
    return {"NetworkingConfig": {"EndpointsConfig": dict.fromkeys(names)}}


def mount(source, kind="volume"):
    return host(Mounts=[{"Type": kind, "Source": source, "Target": "/d"}])


EVERYWHERE, NOWHERE = ["n1", "n2", "n3"], []


def test_a_volume_that_is_being_made_counts_for_its_node():
    making = a_node("n2", reservations=[a_reservation("first", volumes=["new"])])
    assert fitting(a_node("n1"), making, **host(Binds=["new:/d"])) == ["n2"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (host(VolumesFrom=["db:ro"]), ["n1"]),
        (host(Links=["db:alias"]), ["n1"]),
        (host(Links=["/db:/web/alias"]), ["n1"]),
        (host(NetworkMode="container:db"), ["n1"]),
        (host(IpcMode="container:db"), ["n1"]),
        (host(PidMode="container:n1/db"), ["n1"]),
        (host(PidMode="container:n2/db"), NOWHERE),
        (host(VolumesFrom=[DB.id]), ["n1"]),
        (host(VolumesFrom=[DB.id[:5]]), ["n1"]),
        (host(VolumesFrom=[SWARM_ID]), ["n1"]),
        (host(VolumesFrom=[SWARM_ID[:7]]), ["n1"]),
        (host(VolumesFrom=["ghost"]), NOWHERE),
        (host(PidMode="host", IpcMode="shareable", NetworkMode="host"), EVERYWHERE),
        (host(NetworkMode="default"), EVERYWHERE),
        (host(NetworkMode="bridge"), EVERYWHERE),
        (host(NetworkMode=NETWORK), ["n1"]),
        (host(NetworkMode=f"n1/{NETWORK}"), ["n1"]),
        (host(NetworkMode=f"n2/{NETWORK}"), NOWHERE),
        (host(NetworkMode="ghost"), NOWHERE),
        (endpoints(NETWORK), ["n1"]),
        (endpoints("default"), EVERYWHERE),
        (endpoints(NETWORK, "back"), NOWHERE),
        (host(Binds=["data:/d"]), ["n1"]),
        (host(Binds=["shared:/d:ro"]), ["n1", "n2"]),
        (host(Binds=["new:/d"]), EVERYWHERE),
        (host(Binds=["n3/new:/d"]), ["n3"]),
        (host(Binds=["/data:/d"]), EVERYWHERE),
        (mount("data"), ["n1"]),
        (mount("data", kind="bind"), EVERYWHERE),
        (host(Binds=["shared:/d"], NetworkMode="back"), ["n2"]),
        ({}, EVERYWHERE),
    ],
    ids=str,
)
def test_nodes_with_the_objects_that_a_container_names(body, expected):
    assert fitting(*nodes(), **body) == expected


def test_a_network_is_found_by_its_id_and_the_beginning_of_it():
    n1, n2, n3 = nodes()
    (id,) = [id for id, network in n1.networks.items() if network["Name"] == NETWORK]
    for text in (id, id[:12]):
        assert fitting(n1, n2, n3, **host(NetworkMode=text)) == ["n1"]


def test_an_unused_network_excludes_no_node():
    assert fitting(a_node("n1", networks=["empty"]), a_node("n2"), **endpoints("empty")) == [
        "n1",
        "n2",
    ]


def test_a_reservation_counts():
    node = a_node("n1")
    node.reserve(a_reservation("db"))
    assert fitting(node, **host(Links=["db:d"])) == ["n1"]


class Indifferent:
    """A strategy that gives every node the same weight."""

    name = "indifferent"

    def weigh(self, config, node):
        return (0,)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (host(NetworkMode=NETWORK), f"2 network {NETWORK} is only on n1"),
        (host(Binds=["shared:/d"]), "1 volume shared is only on n1, n2"),
        (host(Links=["ghost:g"]), "3 container ghost is not there"),
    ],
    ids=["network", "volume", "container"],
)
def test_a_refusal_says_where_the_object_is(body, text):
    among = nodes()
    if "ghost" not in text:  # those that have it cannot take it, for another reason
        body = {**body, "Labels": {"full": "yes"}}
    config = a_config(body=body).informed_by(among)
    chain = [DependencyFilter(), Full()]
    with pytest.raises(NoNodeFits) as raised:
        a_decision(Scheduler(Indifferent(), chain), config, among)
    assert text in str(raised.value)


class Full:
    """A filter that refuses every node for containers labelled ``full``."""

    name = "full"

    def rules(self, config):
        if config.labels.get("full"):
            yield Rule("full", lambda node: "")


def test_a_mounted_image_is_a_soft_rule():
    (rule,) = DependencyFilter().rules(a_config(body=mount("data:1", "image")))
    assert (rule.text, rule.soft) == ("mounted image data:1", True)
    assert rule.check(a_node(images=["busybox", "data:1"])) is None
    assert rule.check(a_node()) == "is not there"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (host(VolumesFrom=["ghost"]), "container ghost"),
        (host(NetworkMode="container:ghost"), "container ghost"),
        (host(NetworkMode="ghost"), "network ghost"),
        (endpoints("ghost"), "network ghost"),
    ],
)
def test_an_object_of_no_node_is_ignored_if_all_nodes_are_known(body, text):
    among = nodes()
    config = a_config(body=body)
    assert [rule.text for rule in DependencyFilter().rules(config.informed_by(among))] == [text]
    known = config.informed_by(among, all_known=True)
    assert list(DependencyFilter().rules(known)) == []


def test_a_refusal_says_where_each_of_two_objects_is():
    among = nodes()
    body = host(Binds=["data:/d"], NetworkMode="back")
    config = a_config(body=body).informed_by(among, all_known=True)
    with pytest.raises(NoNodeFits) as raised:
        a_decision(Scheduler(Indifferent(), [DependencyFilter()]), config, among)
    assert "network back is only on n2" in str(raised.value)
    assert "volume data is only on n1" in str(raised.value)


def test_an_object_of_some_node_binds_if_all_nodes_are_known():
    known = a_config(body=host(NetworkMode=NETWORK)).informed_by(nodes(), all_known=True)
    (rule,) = DependencyFilter().rules(known)
    assert [node.name for node in nodes() if rule.check(node) is None] == ["n1"]


PLUGIN = {"Plugins": {"Volume": ["local", "nfs"]}}


def driven(source, name="nfs"):
    options = {"DriverConfig": {"Name": name}}
    return host(Mounts=[{"Type": "volume", "Source": source, "VolumeOptions": options}])


@pytest.mark.parametrize(
    ("body", "expected", "wishes"),
    [
        (host(Binds=["team/data:/d"]), ["n1"], []),  # is there
        (host(Binds=["team/new:/d"]), NOWHERE, []),  # no node is called team, no plugin is named
        (host(Binds=["team/new:/d"], VolumeDriver="local"), NOWHERE, []),
        (host(Binds=["team/new:/d"], VolumeDriver="nfs"), EVERYWHERE, ["volume plugin nfs"]),
        (host(Binds=["n2/new:/d"], VolumeDriver="nfs"), ["n2"], []),
        (host(Binds=["new:/d"], VolumeDriver="nfs"), EVERYWHERE, ["volume plugin nfs"]),
        (driven("team/new"), EVERYWHERE, ["volume plugin nfs"]),
        (driven("team/new", "local"), NOWHERE, []),
        (driven("team/data"), ["n1"], []),
        (mount("team/new"), NOWHERE, []),
    ],
    ids=str,
)
def test_a_slash_in_the_name_of_a_plugins_volume(body, expected, wishes):
    n1 = a_node("n1", volumes=["team/data"])
    n1.info = {**n1.info, **PLUGIN}
    among = [n1, a_node("n2"), a_node("n3")]
    rules = list(DependencyFilter().rules(a_config(body=body).informed_by(among)))
    hard = [rule for rule in rules if not rule.soft]
    soft = [rule for rule in rules if rule.soft]
    fits = [node.name for node in among if all(rule.check(node) is None for rule in hard)]
    assert (fits, [rule.text for rule in soft]) == (expected, wishes)
    for rule in soft:
        assert [node.name for node in among if rule.check(node) is None] == ["n1"]


def member(name, *managers, manages=False):
    node = a_node(name)
    told = [{"NodeID": each} for each in managers]
    swarm = {"LocalNodeState": "active", "ControlAvailable": manages, "RemoteManagers": told}
    node.info = {**node.info, "Swarm": swarm}
    return node


def test_a_network_that_a_swarm_may_have_is_looked_for_there():
    worker, other = member("n1", "m1"), member("n2", "m2")
    manager, plain = member("n3", "m2", manages=True), a_node("n4")
    among = [worker, other, manager, plain]
    config = a_config(body=host(NetworkMode="ghost")).informed_by(among, all_known=True)
    (rule,) = DependencyFilter().rules(config)
    assert (rule.text, rule.soft) == ("network ghost", True)
    assert [node.name for node in among if rule.check(node) is None] == ["n1"]
    known = config.informed_by([other, manager, plain], all_known=True)
    assert list(DependencyFilter().rules(known)) == []
