"""Containers on networks that span engines: their nodes, and the containers that they reach."""

from tests.system.spanning.spanning_fleet import (
    OVERLAY,
    SEVERAL_NETWORKS,
    NotReached,
    answers,
    endpoints,
    networks_of,
    node_of,
    spanning,
    unless_store_is_lost,
)
from tests.system.waiting import fetch


@unless_store_is_lost
def test_containers_of_all_nodes_know_each_other_by_name(docker, fleet, reaches):
    docker(*OVERLAY, "ov")
    for node in fleet.nodes:
        fleet.run(docker, f"on-{node}", "--network-alias", f"alias-{node}", node=node)
    names = [f"on-{node}" for node in fleet.nodes]
    assert all(reaches(docker, one, other) for one in names for other in names)
    assert reaches(docker, names[0], f"alias-{fleet.nodes[2]}")


@unless_store_is_lost
def test_containers_of_one_network_spread(docker, fleet):
    docker(*OVERLAY, "ov")
    names = [f"c{number}" for number in range(3)]
    for name in names:
        fleet.run(docker, name)
    assert sorted(node_of(docker, name) for name in names) == sorted(fleet.nodes)


@unless_store_is_lost
def test_published_ports_are_on_the_containers_node(docker, fleet):
    docker(*OVERLAY, "ov")
    serve = "while true; do echo -e 'HTTP/1.0 200 OK\\r\\n\\r\\n'$(hostname) | nc -l -p 80; done"
    for node in fleet.nodes:
        docker("run", "-d", "--name", f"web-{node}", "-h", node, "--network", "ov", "-p", "80",
               "-e", f"constraint:node=={node}", "busybox", "sh", "-c", serve)  # fmt: skip
    for node, engine in zip(fleet.nodes, fleet.engines, strict=True):
        address = docker("port", f"web-{node}", "80").splitlines()[0]
        assert address.startswith(f"{engine.ip}:")
        assert fetch(f"http://{address}/").decode().strip() == node


@unless_store_is_lost
def test_a_running_container_of_any_node_connects(docker, fleet, reaches):
    docker(*OVERLAY, "ov")
    first, *_, last = fleet.nodes
    fleet.run(docker, "member", node=first)
    fleet.run(docker, "guest", node=last, network="bridge")
    docker("network", "connect", "--alias", "visitor", "ov", "guest")
    assert reaches(docker, "member", "visitor")
    assert reaches(docker, "guest", "member")
    assert set(endpoints(docker).values()) == {"member", "guest"}


@unless_store_is_lost
def test_a_disconnected_container_is_no_longer_on_the_network(docker, fleet, wait_until):
    docker(*OVERLAY, "ov")
    for node in fleet.nodes:
        fleet.run(docker, f"on-{node}", node=node)
    last = f"on-{fleet.nodes[-1]}"
    docker("network", "disconnect", "ov", last)
    assert last not in endpoints(docker).values()
    wait_until(lambda: not answers(docker, f"on-{fleet.nodes[0]}", last), f"{last} to be cut off")


@unless_store_is_lost
def test_a_network_works_on_every_node_right_after_its_create(docker, fleet):
    for place, node in enumerate(fleet.nodes):
        network, other = f"ov-{place}", fleet.nodes[place - 1]
        id = docker(*OVERLAY, network)
        for text, where in ((id[:9], node), (id, other), (network, other)):
            name = f"by-{text}"
            fleet.run(docker, name, node=where, network=text)
            assert networks_of(docker, name) == {network}


@unless_store_is_lost
def test_a_container_that_was_created_only_finds_its_networks_at_its_start(docker, fleet, reaches):
    docker(*OVERLAY, "ov")
    docker(*OVERLAY, "second")
    fleet.run(docker, "peer", node=fleet.nodes[0], network="second")
    for node in fleet.nodes[: SEVERAL_NETWORKS[fleet.sort]]:
        docker("create", "--name", f"on-{node}", "--network", "ov",
               "-e", f"constraint:node=={node}", "busybox", "sleep", "600")  # fmt: skip
        docker("network", "connect", "second", f"on-{node}")
        docker("start", f"on-{node}")
        found = networks_of(docker, f"on-{node}")
        if found != {"ov", "second"} and found == fleet.networks_at(node, f"on-{node}"):
            raise NotReached(f"the engine {node} itself has on-{node} on {found}")
        assert found == {"ov", "second"}
        assert reaches(docker, f"on-{node}", "peer")
        assert f"on-{node}" in endpoints(docker).values()


COMPOSE = """
services:
{services}
networks:
  default:
    driver: overlay
    attachable: true
  back:
    driver: overlay
    attachable: true
volumes:
  data: {{}}
"""
SERVICE = """
  {name}:
    image: busybox
    init: true
    command: sleep 600
    networks: [{networks}]
"""


@unless_store_is_lost
def test_a_compose_project_of_overlay_networks_spreads(fleet, tmp_path, reaches):
    docker = fleet.docker("28")
    names = ["one", "two", "three"]
    networks = "default, back" if SEVERAL_NETWORKS[fleet.sort] == 3 else "default"
    services = "".join(SERVICE.format(name=name, networks=networks) for name in names)
    (tmp_path / "compose.yaml").write_text(COMPOSE.format(services=services))
    compose = ("compose", "-p", "proj", "-f", str(tmp_path / "compose.yaml"))
    docker(*compose, "up", "-d")
    containers = [f"proj-{name}-1" for name in names]
    assert sorted(node_of(docker, each) for each in containers) == sorted(fleet.nodes)
    assert all(reaches(docker, each, name) for each in containers for name in names)
    before = docker("ps", "-q", "--no-trunc")
    docker(*compose, "up", "-d")
    assert docker("ps", "-q", "--no-trunc") == before
    docker(*compose, "down")
    assert spanning(docker) == []
