"""A container with a fixed port is created anew before the old one is removed, as on an engine."""

import json
from functools import partial
from pathlib import Path

import pytest
from swarmcore_lab.cli import Cli
from swarmcore_lab.engine_api import EngineApi

from tests.system.clients.composing import Project, stay
from tests.system.docker import Docker

pytestmark = pytest.mark.docker

#: On no network of its own, so that replicas may run on several nodes.
SERVICE = f"""
version: "2.4"
services:
  app:
    image: busybox
    command: {stay()}
    network_mode: bridge
    environment: {{COLOUR: $COLOUR}}
    mem_limit: $MEMORY
    ports: ["18080:80"]
"""
#: Takes a network of its own.
ON_NETWORK = SERVICE.replace("    network_mode: bridge\n", "")
SLEEP = ("--init", "busybox", "sleep", "1000")
PORT = ("-p", "18080:80")


@pytest.fixture(scope="module")
def managers(engines, start_manager):
    """A manager of all three engines, and one of the first two.

    The first generation of compose cannot read release 28's images.
    """
    made = {}
    for count in (3, 2):
        chosen = list(engines.values())[:count]
        made[count] = start_manager(",".join(engine.address for engine in chosen))
        made[count].wait_healthy(count)
    yield made
    for manager in made.values():
        manager.stop()


@pytest.fixture
def tidy(engines, managers, wait_until):
    """No engine has a container or network of a project, before and after."""

    def clean():
        for engine in engines.values():
            for row in engine.api.call("GET", "/containers/json?all=1"):
                engine.api.call("DELETE", f"/containers/{row['Id']}?force=1")
            engine.api.call("POST", "/networks/prune")
        for manager in managers.values():
            listed = partial(manager.get, "/containers/json?all=1")
            wait_until(lambda of=listed: of() == [], "an empty cluster")

    clean()
    yield
    clean()


@pytest.fixture
def make_project(managers, engines, lab, tidy, tmp_path):
    """Make a project of a generation of compose, at an engine or at one of the managers."""

    def make(generation, count):
        if count == 1:
            host, socket = f"tcp://{engines['old'].address}", str(engines["old"].socket)
        else:
            host, socket = managers[count].host, managers[count].socket.removeprefix("unix://")
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        program = Cli(Path("/usr/bin/docker-compose"), environment)
        docker = Docker(program if generation == 1 else lab.cli("28"), host)
        words = () if generation == 1 else ("compose",)
        return Project("app", docker, words, tmp_path, EngineApi("target", Path(socket)))

    return make


def bring_up(project, text, colour, memory="64m", replicas=1):
    project.write(text.replace("$COLOUR", colour).replace("$MEMORY", memory))
    project("up", "-d", "--scale", f"app={replicas}")


def seen(project):
    """Return node (empty at an engine) and colour of each container; all of them must run."""
    told = project.inspect_all()
    assert {each["State"]["Status"] for each in told} == {"running"}
    colours = {each["Config"]["Env"][0] for each in told}
    return sorted(each.get("Node", {}).get("Name", "") for each in told), colours


@pytest.mark.parametrize(("generation", "count"), [(1, 1), (1, 2), (2, 1), (2, 3)])
def test_a_changed_service_is_made_anew(make_project, generation, count):
    project = make_project(generation, count)
    for colour in ("red", "blue", "green")[: generation + 1]:
        bring_up(project, ON_NETWORK, colour)
        nodes, colours = seen(project)
        assert (len(nodes), colours) == (1, {f"COLOUR={colour}"})


@pytest.mark.parametrize(("generation", "count"), [(1, 2), (2, 3)])
def test_replicas_on_every_node_are_made_anew_in_their_places(
    make_project, engines, generation, count
):
    """The old containers take the ports and most of the memory of every node."""
    project = make_project(generation, count)
    smallest = min(engine.info()["MemTotal"] for engine in engines.values())
    for colour in ("red", "blue"):
        bring_up(project, SERVICE, colour, str(smallest * 6 // 10), count)
        assert seen(project) == (sorted(list(engines)[:count]), {f"COLOUR={colour}"})
    refused = project.run("up", "-d", "--scale", f"app={count + 1}")
    assert refused.returncode != 0
    assert "no node fits" in refused.stdout + refused.stderr


@pytest.fixture
def docker(managers, make_docker, tidy):
    return make_docker("28", managers[3].host)


def on(node):
    return ("-e", f"constraint:node=={node}")


def node_of(docker, name):
    return docker("inspect", name, "--format", "{{.Node.Name}}")


def test_stopped_holders_are_avoided_but_do_not_keep_a_port(docker, engines):
    for node in engines:
        docker("run", "-d", "--name", f"web-{node}", *on(node), *PORT, *SLEEP)
    refused = docker.run("run", "-d", *PORT, *SLEEP)
    assert "3 port 18080/tcp (taken by web-" in refused.stderr
    docker("stop", "-t", "1", "web-old", "web-middle")
    docker("rm", "-f", "web-new")
    docker("run", "-d", "--name", "first", *PORT, *SLEEP)
    assert node_of(docker, "first") == "new"
    docker("run", "-d", "--name", "second", *PORT, *SLEEP)
    taken = node_of(docker, "second")
    assert taken in ("old", "middle")
    started = docker.run("start", f"web-{taken}")
    assert started.returncode == 1
    assert "port is already allocated" in started.stderr
    docker("rm", "-f", "second")
    docker("start", f"web-{taken}")


def test_a_created_container_holds_its_port_until_its_start_fails(docker, make_docker, engines):
    for _ in engines:
        docker("create", *PORT, *SLEEP)
    assert "3 port 18080/tcp (taken by " in docker.run("create", *PORT, *SLEEP).stderr
    docker.remove_all()
    direct = make_docker("28", f"tcp://{engines['old'].address}")
    docker("create", "--name", "late", *on("old"), *PORT, *SLEEP)
    direct("run", "-d", "--name", "outside", *PORT, *SLEEP)
    failed = docker.run("start", "late")
    assert "port is already allocated" in failed.stderr
    direct("rm", "-f", "outside")
    docker("run", "-d", "--name", "next", *on("old"), *PORT, *SLEEP)
    assert json.loads(docker("inspect", "late"))[0]["State"]["Status"] == "created"


def test_a_script_that_renames_creates_stops_and_starts(docker, engines):
    """Portainer and watchtower do this; every node of the cluster has the port taken."""
    for node in engines:
        docker("run", "-d", "--name", f"web-{node}", *on(node), *PORT, *SLEEP)
    docker("rename", "web-middle", "old-web")
    docker("create", "--name", "web-middle", *PORT, *SLEEP)
    assert node_of(docker, "web-middle") == "middle"
    refused = docker.run("create", *PORT, *SLEEP)
    assert "3 port 18080/tcp" in refused.stderr
    assert "port is already allocated" in docker.run("start", "web-middle").stderr
    docker("stop", "-t", "1", "old-web")
    docker("start", "web-middle")
    docker("rm", "old-web")
