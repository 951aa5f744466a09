"""``docker network``: a network is on one node, and containers that name it go there."""

import re

import pytest


@pytest.fixture(autouse=True)
def no_networks_left(fleet):
    """Remove containers first, because a network in use cannot be removed."""
    yield
    docker = fleet.docker()
    docker.remove_all()
    docker("network", "prune", "-f")


def node_of(docker, container):
    return docker("inspect", "-f", "{{.Node.Name}}", container)


def custom(docker):
    listed = docker("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}")
    return listed.split()


def test_a_network_from_create_to_rm(docker):
    id = docker("network", "create", "web")
    assert custom(docker) == ["web"]
    assert docker("network", "inspect", "-f", "{{.Id}} {{.Driver}}", "web") == f"{id} bridge"
    assert docker("network", "inspect", "-f", "{{.Name}}", id[:12]) == "web"
    done = docker.run("network", "create", "web")
    assert done.returncode != 0
    assert "network with name web already exists" in done.stderr
    assert docker("network", "rm", "web") == "web"
    assert custom(docker) == []
    assert docker.run("network", "inspect", "web").returncode != 0


def test_containers_of_one_network_land_together_and_know_each_other_by_name(docker):
    docker("network", "create", "web")
    docker("run", "-d", "--name", "db", "--network", "web", "busybox", "sleep", "600")
    answer = docker("run", "--rm", "--network", "web", "busybox", "ping", "-c", "1", "db")
    assert "1 packets received" in answer
    others = [docker("run", "-d", "--network", "web", "busybox", "sleep", "600") for _ in range(2)]
    assert {node_of(docker, each) for each in others} == {node_of(docker, "db")}


def test_a_network_on_another_node_is_named_with_its_node(docker):
    docker("network", "create", "old/web")
    done = docker.run(
        "run", "--rm", "-e", "constraint:node==new", "--network", "web", "busybox", "true"
    )
    assert done.returncode == 125
    assert "network web is only on old" in done.stderr
    docker("run", "-d", "--name", "far", "-e", "constraint:node==new", "busybox", "sleep", "600")
    done = docker.run("network", "connect", "web", "far")
    assert "network web is only on old, container far is on new" in done.stderr


@pytest.mark.parametrize(
    "option",
    [
        "--network=ghost",
        "--network=container:ghost",
        "--pid=container:ghost",
        "--link=ghost:g",
        "--volumes-from=ghost",
    ],
)
def test_unknown_objects_have_an_engines_error(docker, fleet, option):
    def told(docker):
        done = docker.run("run", "--name", "asks", option, "busybox", "true")
        docker("rm", "-f", "asks") if docker("ps", "-aq", "--filter", "name=asks") else None
        # A second thread of `docker run` writes a line; whether and where is chance.
        varying = r'time="[^"]*".*error waiting for container: .*\n|[0-9.]+:[0-9]+'
        return done.returncode, done.stdout, re.sub(varying, "", done.stderr)

    answers = [told(docker.at(engine.address)) for engine in fleet.engines.values()]
    assert told(docker) in answers


def test_connect_and_disconnect(docker):
    docker("run", "-d", "--name", "web", "-e", "constraint:node==middle", "busybox", "sleep", "600")
    docker("network", "create", "middle/back")
    docker("network", "connect", "--alias", "front", "back", "web")
    names = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    assert docker("inspect", "-f", names, "web").split() == ["back", "bridge"]
    answer = docker("run", "--rm", "--network", "back", "busybox", "ping", "-c", "1", "front")
    assert "1 packets received" in answer
    docker("network", "disconnect", "back", "middle/web")
    assert docker("inspect", "-f", names, "web").split() == ["bridge"]


def test_names_that_mean_several_networks_are_shown_with_their_node(docker, fleet):
    for name in ("old/web", "new/web", "new/back"):
        docker("network", "create", name)
    assert sorted(custom(docker)) == ["back", "new/web", "old/web"]
    builtin = docker("network", "ls", "-f", "name=bridge", "--format", "{{.Name}}").split()
    assert sorted(builtin) == sorted(f"{name}/bridge" for name in fleet.engines)
    id = docker("run", "-d", "--network", "old/web", "busybox", "sleep", "600")
    assert node_of(docker, id) == "old"
    assert "write new/web or old/web" in docker.run("network", "inspect", "web").stderr
    assert docker("network", "inspect", "-f", "{{.Name}}", "bridge") == "bridge"


def test_prune_removes_unused_networks_on_every_node(docker, fleet):
    for node in fleet.engines:
        docker("network", "create", f"{node}/free-{node}")
    docker("network", "create", "busy")
    docker("run", "-d", "--network", "busy", "busybox", "sleep", "600")
    report = docker("network", "prune", "-f")
    assert all(f"free-{node}" in report for node in fleet.engines)
    assert custom(docker) == ["busy"]


def test_a_container_joins_the_network_of_another_wherever_that_is(docker, fleet):
    for node in fleet.engines:
        docker("run", "-d", "--name", f"of-{node}", "-h", f"host-{node}",
               "-e", f"constraint:node=={node}", "busybox", "sleep", "600")  # fmt: skip
    for node in fleet.engines:
        joined = docker("run", "--rm", "--net", f"container:of-{node}", "busybox", "hostname")
        assert joined == f"host-{node}"


def test_a_container_joins_the_processes_of_another(docker):
    docker("run", "-d", "--name", "web", "-e", "constraint:node==new", "busybox", "sleep", "417")
    assert "sleep 417" in docker("run", "--rm", "--pid", "container:web", "busybox", "ps")
    docker("run", "-d", "--name", "ipc", "--ipc", "shareable", "busybox", "sleep", "600")
    joined = docker("run", "-d", "--ipc", "container:ipc", "busybox", "sleep", "600")
    assert node_of(docker, joined) == node_of(docker, "ipc")


def test_a_link_goes_where_its_target_is(docker):
    docker("run", "-d", "--name", "db", "-e", "constraint:node==old", "busybox", "sleep", "600")
    answer = docker("run", "--rm", "--link", "db:store", "busybox", "ping", "-c", "1", "store")
    assert "1 packets received" in answer
