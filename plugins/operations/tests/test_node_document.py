"""The JSON document of a node."""

from swarmcore_operations.routes.node_document import node_document

from swarmcore.model import NANO, Drain, FailedPulls, GiB, NodeSettings, State
from swarmcore.node import Node
from swarmcore.testing.builders import a_container, a_node, a_reservation


def test_claims_of_containers_and_reservations_are_summed():
    node = a_node(
        "n1",
        cpus=4,
        memory=8 * GiB,
        labels={"containerslots": "3"},
        containers=[
            a_container("web", memory=2 * GiB, ports=["8080:80"]),
            a_container("old", cpus=1, state="exited"),
        ],
        reservations=[a_reservation("next", memory=GiB, cpus=0.5, ports=["53:53/udp"])],
    )
    document = node_document(node)
    assert document["Memory"] == {"Total": 8 * GiB, "Claimed": 3 * GiB, "Free": 5 * GiB}
    assert document["NanoCPUs"]["Claimed"] == node.used_nano_cpus
    assert document["Slots"] == {"Total": 3, "Claimed": 3, "Free": 0}
    assert document["Containers"] == {"Total": 2, "Running": 1, "Paused": 0, "Stopped": 1}
    assert document["Ports"] == [
        {"Port": "53/udp", "Holder": "next"},
        {"Port": "8080/tcp", "Holder": "web"},
    ]
    (held,) = document["Reservations"]
    assert (held["Name"], held["Memory"], held["Ports"]) == ("next", GiB, ["53/udp"])


def test_gpus_are_shown_with_their_holders():
    requests = [{"Count": 1, "Capabilities": [["gpu"]]}]
    web = a_container("web", body={"HostConfig": {"DeviceRequests": requests}})
    node = a_node("n1", labels={"swarm.gpus": "GPU-a,GPU-b"}, containers=[web])
    assert node_document(node)["GPUs"] == {
        "Total": 2,
        "Claimed": 1,
        "Free": 1,
        "Shared": False,
        "Held": [{"GPU": "GPU-a", "Holder": "web"}],
    }
    assert node_document(a_node("n2"))["GPUs"] is None


def test_nothing_is_free_on_an_overcommitted_node():
    node = a_node("n1", cpus=1, containers=[a_container("a", cpus=2)])
    assert node_document(node)["NanoCPUs"] == {"Total": NANO, "Claimed": 2 * NANO, "Free": 0}


def test_what_operators_decided_is_shown_with_its_author():
    node = a_node("n1", labels={"zone": "a"})
    node.apply(NodeSettings(Drain("kernel upgrade", "anna", 1_577_836_800), {"zone": "b"}))
    document = node_document(node)
    assert document["Drained"] == {
        "Reason": "kernel upgrade",
        "Author": "anna",
        "Since": "2020-01-01T00:00:00.000+00:00",
        "Move": False,
    }
    assert (document["Labels"], document["AddedLabels"]) == ({"zone": "b"}, {"zone": "b"})


def test_failed_pulls_are_shown():
    node = a_node("n1")
    assert node_document(node)["FailedPulls"] == []
    failed = FailedPulls("hub.example", 2, "hub.example/app:1", "no route", 1_577_836_800, 9)
    node.failed_pulls = {"hub.example": failed}
    assert node_document(node)["FailedPulls"] == [
        {
            "Scope": "hub.example",
            "Count": 2,
            "Image": "hub.example/app:1",
            "Reason": "no route",
            "At": "2020-01-01T00:00:00.000+00:00",
        }
    ]


def test_a_node_that_was_never_reached_has_nothing_but_its_address():
    node = Node("10.0.0.9:2375", "10.0.0.9:2375")
    node.error = "no route to host"
    document = node_document(node)
    assert (document["Name"], document["State"]) == ("", State.PENDING.value)
    assert (document["Version"], document["APIVersion"], document["UpdatedAt"]) == ("", "", "")
    assert document["Error"] == "no route to host"
    assert document["Slots"] is None


def test_malformed_slots_are_ignored():
    assert node_document(a_node(labels={"containerslots": "many"}))["Slots"] is None
