"""Important guarantees hold while twenty other clients create and remove objects.

Each guarantee has tests on a quiet cluster; here other clients use the same manager.
"""

import concurrent.futures
import json
import urllib.parse

import pytest

from tests.system.neighbours import CLIENTS, neighbours
from tests.system.raw_requests import ask as ask_raw

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]  # for a busy machine

#: How often each answer is asked for.
TRIES = 2


@pytest.fixture(scope="module")
def busy(shared_fleet):
    """The fleet with other clients at work; at the end, their errors are reported."""
    with neighbours(shared_fleet.manager.port) as working:
        yield shared_fleet
    failures = [failure for each in working for failure in each.failures]
    assert failures == []
    assert len(working) == CLIENTS
    assert all(each.rounds for each in working), [each.rounds for each in working]


@pytest.fixture
def docker(busy):
    """The CLI with the manager; removes the objects of a test, and no others."""
    docker = busy.docker()
    yield docker
    if ids := docker("ps", "-aq", "--no-trunc", "--filter", "label=mine").split():
        docker("rm", "-f", "-v", *ids)


@pytest.fixture(params=range(TRIES))
def name(request):
    """Return a new name for each attempt."""
    return f"mine-{request.param}"


def ask(busy, method, path, **filters):
    """Return the status and the JSON of one request to the manager."""
    query = f"?filters={urllib.parse.quote(json.dumps(filters))}" if filters else ""
    reply = ask_raw(f"127.0.0.1:{busy.manager.port}", method, f"/v1.41{path}{query}")
    return reply.status, reply.json


def run(docker, name, *arguments, image="busybox", command=("sleep", "1000")):
    return docker("run", "-d", "--label", "mine", "--name", name, *arguments, image, *command)


def test_a_name_means_the_image_that_it_was_last_given(docker, name):
    run(docker, name)
    first = docker("commit", name, f"{name}:v")
    docker("exec", name, "touch", "/second")
    second = docker("commit", name, f"{name}:v")
    assert first != second
    assert docker("image", "inspect", "--format", "{{.Id}}", f"{name}:v") == second
    for number in range(3):
        made = run(docker, f"{name}-{number}", image=f"{name}:v")
        assert docker("inspect", "--format", "{{.Image}}", made) == second
    docker("rm", "-f", *(f"{name}-{number}" for number in range(3)))
    docker("rmi", f"{name}:v")
    docker("rmi", "-f", first)


def test_a_prune_whose_filter_selects_nothing_removes_nothing(docker, busy, name):
    docker("create", "--label", "mine", "--name", name, "busybox")
    status, report = ask(busy, "POST", "/containers/prune", label={"zz=b": False, "mine": False})
    if status == 200:
        assert not report["ContainersDeleted"]
    assert docker("ps", "-a", "--format", "{{.Names}}", "--filter", f"name=^/{name}$") == name


def test_every_change_is_seen_by_the_next_read(docker, name):
    docker("volume", "create", name)
    assert name in docker("volume", "ls", "-q", "--filter", f"name={name}").split()
    docker("volume", "rm", name)
    assert name not in docker("volume", "ls", "-q", "--filter", f"name={name}").split()
    docker("network", "create", name)
    assert docker("network", "ls", "--format", "{{.Name}}", "--filter", f"name={name}") == name
    docker("network", "rm", name)
    assert docker("network", "ls", "-q", "--filter", f"name={name}") == ""
    docker("tag", "busybox", f"{name}:1")
    assert docker("images", "-q", f"{name}:1")
    docker("rmi", f"{name}:1")
    assert docker("images", "-q", f"{name}:1") == ""
    run(docker, name, "-v", "/data")
    volume = docker("inspect", "--format", "{{(index .Mounts 0).Name}}", name)
    docker("rm", "-f", "-v", name)
    assert docker("ps", "-aq", "--filter", f"name=^/{name}$") == ""
    assert docker("volume", "ls", "-q", "--filter", f"name={volume}") == ""


def test_volumes_made_at_once_meet_in_one_container(docker, name):
    volumes = [f"{name}-{letter}" for letter in "abc"]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda volume: docker("volume", "create", volume), volumes))
    mounts = [part for volume in volumes for part in ("-v", f"{volume}:/{volume}")]
    run(docker, name, *mounts)
    docker("rm", "-f", name)
    docker("volume", "rm", *volumes)


def test_a_network_follows_the_container_that_is_connected(docker, name):
    run(docker, name)
    docker("network", "create", name)
    docker("network", "connect", name, name)
    assert docker("network", "inspect", "--format", "{{len .Containers}}", name) == "1"
    docker("rm", "-f", name)
    docker("network", "rm", name)


def test_a_stopped_container_does_not_keep_its_port(docker, busy, name):
    holders = [f"{name}-{node}" for node in busy.engines]
    for holder in holders:
        run(docker, holder, "-p", "18999:80")
    docker("stop", "-t", "0", *holders)
    run(docker, name, "-p", "18999:80")
    docker("rm", "-f", name, *holders)


def test_unknown_objects_have_an_engines_error(docker, name):
    done = docker.run("run", "--rm", "--network", f"no-{name}", "busybox", "true")
    assert done.returncode == 125
    assert f"network no-{name} not found" in done.stderr


def test_a_build_finds_the_base_that_another_node_has(docker, busy, tmp_path):
    folders = {}
    for name, text in {
        "base": "FROM busybox\nRUN echo base >/base\n",
        "app": "FROM mine-base:1\nRUN cat /base >/app\n",
    }.items():
        folders[name] = tmp_path / name
        folders[name].mkdir()
        (folders[name] / "Dockerfile").write_text(text)
    docker.environment["DOCKER_BUILDKIT"] = "0"
    untagged = set(docker("images", "-q", "--filter", "dangling=true").split())
    site = {"base": "old", "app": "new"}
    for name, folder in folders.items():
        where = f"constraint:node=={site[name]}"
        docker("build", "-t", f"mine-{name}:1", "--build-arg", where, str(folder))
    made = docker("run", "--rm", "--label", "mine", "mine-app:1", "cat", "/app")
    assert made == "base"
    assert "mine-app" in docker("images", "--format", "{{.Repository}}").split()
    assert set(docker("images", "-q", "--filter", "dangling=true").split()) <= untagged
    docker("rmi", "-f", "mine-app:1", "mine-base:1")


def test_a_built_image_is_copied_to_the_other_nodes(docker, busy, name):
    run(docker, name, "-e", "constraint:node==old")
    docker("commit", name, f"{name}:carried")
    for node in busy.engines:
        run(docker, f"{name}-{node}", "-e", f"constraint:node=={node}", image=f"{name}:carried")
        assert docker("inspect", "--format", "{{.Node.Name}}", f"{name}-{node}") == node
    docker("rm", "-f", name, *(f"{name}-{node}" for node in busy.engines))
    docker("rmi", "-f", f"{name}:carried")


def test_a_stream_is_complete(docker, name):
    command = ("sh", "-c", "for i in $(seq 40); do echo $i; sleep 0.1; done")
    run(docker, name, command=command)
    assert docker("logs", "-f", name).split() == [str(number) for number in range(1, 41)]


def test_a_published_port_is_at_its_nodes_address(docker, busy, name):
    run(docker, name, "-p", "18998:80", "-e", "constraint:node==old")
    address = busy.engines["old"].address.rpartition(":")[0]
    assert docker("port", name, "80").splitlines()[0] == f"{address}:18998"
    docker("rm", "-f", name)


def test_claimed_resources_are_given_once(docker, name):
    done = docker.run("run", "-d", "--label", "mine", "-m", "100t", "busybox", "true")
    assert done.returncode == 125
    assert "0 of 3 nodes: 3 memory" in done.stderr
    holders = [f"{name}-{number}" for number in range(3)]
    for holder in holders:
        run(docker, holder, "-p", "18997:80")
    done = docker.run("run", "-d", "--label", "mine", "-p", "18997:80", "busybox", "true")
    assert done.returncode == 125
    assert "3 port 18997/tcp (taken by" in done.stderr
    docker("rm", "-f", *holders)


def test_too_many_patterns_are_refused_at_once(busy):
    filters = {"name": [f"a.*{number}" for number in range(2000)]}
    status, document = ask(busy, "GET", "/containers/json", **filters)
    assert status == 400
    assert "at most" in document["message"]
