"""The builders make the same objects as swarmcore makes from a real engine's answers."""

import pytest

from swarmcore.engine.cache.documents import read_container
from swarmcore.model import NANO, GiB, HostPort, MiB, State
from swarmcore.testing.builders import (
    a_config,
    a_container,
    a_node,
    a_request,
    a_reservation,
    an_entry,
    an_event,
)


def test_a_node_is_healthy_and_empty():
    node = a_node()
    assert (node.name, node.state, node.container_count) == ("n1", State.HEALTHY, 0)
    assert (node.used_memory, node.used_nano_cpus) == (0, 0)
    assert node.total_memory == 8 * GiB


def test_two_nodes_differ_in_identity_and_address():
    one, two = a_node("n1"), a_node("n2")
    assert one.id != two.id
    assert one.address != two.address


def test_a_nodes_containers_are_counted_and_are_its_own():
    web = a_container("web", memory=GiB, cpus=0.5, ports=["8080:80"])
    node = a_node(containers=[web, "db"])
    assert {each.name for each in node.containers.values()} == {"web", "db"}
    assert {each.node_id for each in node.containers.values()} == {node.id}
    assert (node.used_memory, node.used_nano_cpus) == (GiB, NANO // 2)
    assert node.port_clash((HostPort(8080, 8080),)) == (HostPort(8080, 8080), "web")


def test_a_container_can_be_put_on_a_node_by_hand():
    node = a_node()
    container = a_container("web", node=node)
    assert node.containers == {container.id: container}


def test_reservations_count_as_containers():
    node = a_node(reservations=[a_reservation("soon", memory=GiB)])
    assert (node.container_count, node.used_memory) == (1, GiB)


def test_a_node_knows_its_images_by_every_name():
    words = set(a_node(images=["busybox", "registry.lab/app:2"]).image_words)
    assert {"busybox:latest", "registry.lab/app:2"} <= words


@pytest.mark.parametrize("state", ["running", "paused", "exited", "created"])
def test_a_container_equals_the_one_read_from_its_documents(state):
    built = a_container(
        "web", labels={"a": "b"}, ports=["8080:80"], memory=GiB, state=state, created=1_600_000_000
    )
    read = read_container(built.summary, built.detail, "", cpus=4)
    for field in ("id", "names", "image", "image_id", "created", "state", "labels"):
        assert getattr(read, field) == getattr(built, field), field
    assert read.claim == built.claim


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8080:80", HostPort(8080, 8080)),
        ("80", HostPort(80, 80)),
        ("127.0.0.1:8080:80/udp", HostPort(8080, 8080, "udp", "127.0.0.1")),
        ("5000-5010:53/udp", HostPort(5000, 5010, "udp")),
    ],
)
def test_ports_are_written_as_the_command_line_writes_them(text, port):
    assert a_container(ports=[text]).claim.ports == (port,)
    assert a_config(ports=[text]).claim.ports == (port,)


def test_a_config_is_read_as_the_manager_reads_it():
    config = a_config(
        "nginx", name="web", env=["A=1", "constraint:zone==b"], labels={"x": "y"}, memory=64 * MiB
    )
    assert (config.image, config.name, config.claim.memory) == ("nginx", "web", 64 * MiB)
    assert config.constraints == ("zone==b",)
    assert config.body["Env"] == ["A=1"]
    assert config.labels["x"] == "y"


def test_a_configs_body_can_have_any_field():
    config = a_config(memory=GiB, body={"HostConfig": {"NetworkMode": "host"}, "Tty": True})
    assert (config.network_mode, config.body["Tty"]) == ("host", True)
    assert config.claim.memory == GiB


def test_an_entry_has_an_address_and_labels():
    entry = an_entry("10.0.0.1:2375", zone="b")
    assert str(entry.address) == "10.0.0.1:2375"
    assert entry.labels == {"zone": "b"}


def test_an_event_is_about_the_container_of_the_same_name():
    event = an_event("exec_create: sh", node=a_node("n7"))
    assert event.actor_id == a_container("web").id
    assert event.verb == "exec_create"
    assert event.attributes["node.name"] == "n7"


def test_a_request_is_read_from_its_target():
    request = a_request("POST", "/v1.41/containers/web/start?t=5", name="web")
    assert (request.path, request.version, request.query.get("t")) == (
        "/containers/web/start",
        (1, 41),
        "5",
    )
    assert request.params == {"name": "web"}
