"""``docker volume``: a container goes to the node of its volume, and finds its data."""

import json
import urllib.parse
import urllib.request

import pytest


@pytest.fixture(autouse=True)
def no_volumes_left(fleet):
    """Remove containers first, because a volume in use cannot be removed."""
    yield
    docker = fleet.docker()
    docker.remove_all()
    if names := docker("volume", "ls", "-q").split():
        docker("volume", "rm", *names)


def names(docker, *arguments):
    return docker("volume", "ls", "-q", *arguments).split()


def write(docker, volume, text, *options):
    docker("run", "--rm", *options, "-v", f"{volume}:/d", "busybox", "sh", "-c",
           f"echo {text} > /d/file")  # fmt: skip


def read(docker, volume, *options):
    return docker("run", "--rm", *options, "-v", f"{volume}:/d", "busybox", "cat", "/d/file")


def holders(fleet, name):
    return [node for node in fleet.engines if name in names(fleet.direct(node))]


def test_a_volume_from_create_to_rm(docker, fleet):
    assert docker("volume", "create", "data") == "data"
    assert docker("volume", "create", "data") == "data"
    assert names(docker) == ["data"]
    (node,) = holders(fleet, "data")
    assert docker("volume", "inspect", "-f", "{{.Name}}", "data") == "data"
    assert docker("volume", "inspect", "-f", "{{.Name}}", f"{node}/data") == "data"
    assert docker("volume", "rm", "data") == "data"
    assert names(docker) == []
    assert "no such volume" in docker.run("volume", "inspect", "data").stderr.lower()


def test_a_second_run_sees_the_data_of_the_first(docker, fleet):
    write(docker, "data", "hello")
    for _ in fleet.engines:  # so that spread would go elsewhere
        docker("run", "-d", "busybox", "sleep", "600")
    assert read(docker, "data") == "hello"
    mount = ("--mount", "type=volume,source=data,target=/e")
    assert docker("run", "--rm", *mount, "busybox", "cat", "/e/file") == "hello"
    assert len(holders(fleet, "data")) == 1


def test_data_on_another_node_is_not_replaced_by_an_empty_volume(docker, fleet):
    write(docker, "data", "hello", "-e", "constraint:node==old")
    done = docker.run("run", "--rm", "-e", "constraint:node==new", "-v", "data:/d", "busybox")
    assert done.returncode == 125
    assert "volume data is only on old" in done.stderr
    assert holders(fleet, "data") == ["old"]


def test_a_prefix_chooses_one_of_two_volumes(docker):
    for node in ("old", "new"):
        write(docker, f"{node}/data", node)
    assert sorted(names(docker)) == ["new/data", "old/data"]
    for node in ("old", "new"):
        assert read(docker, f"{node}/data") == node
    assert docker("volume", "rm", "data") == "data"
    assert names(docker) == []


def test_volumes_of_another_container(docker):
    docker("run", "--name", "source", "-e", "constraint:node==middle", "-v", "/d", "busybox",
           "sh", "-c", "echo hello > /d/file")  # fmt: skip
    seen = docker("run", "--rm", "--volumes-from", "source:ro", "busybox", "cat", "/d/file")
    assert seen == "hello"
    docker("rm", "-v", "source")


def test_a_volume_in_use_stays_and_the_error_names_its_user(docker):
    id = docker("create", "-v", "data:/d", "busybox")
    done = docker.run("volume", "rm", "data")
    assert done.returncode != 0
    assert f"volume is in use - [{id}]" in done.stderr
    assert names(docker, "--filter", "dangling=false") == ["data"]


def prune(fleet, version, **filters):
    query = urllib.parse.urlencode({"filters": json.dumps(filters)})
    url = f"http://127.0.0.1:{fleet.manager.port}/{version}/volumes/prune?{query}"
    request = urllib.request.Request(url, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["VolumesDeleted"]


def test_prune_of_new_clients_keeps_named_volumes_on_old_engines(docker, fleet):
    for node in fleet.engines:
        docker("volume", "create", f"{node}/of-{node}")
        docker("run", "--rm", "-e", f"constraint:node=={node}", "-v", f"{node}/kept-{node}:/d",
               "busybox", "true")  # fmt: skip
    nameless = docker("volume", "create")
    before = set(names(docker)) - {nameless}
    prune(fleet, "v1.44")
    assert set(names(docker)) >= before
    deleted = prune(fleet, "v1.44", all=["true"])
    assert set(deleted) >= before
    assert names(docker) == []


def test_prune_of_old_clients_removes_all_unused_volumes(docker):
    docker("create", "-v", "used:/d", "busybox")
    docker("volume", "create", "free")
    assert "free" in docker("volume", "prune", "-f")
    assert names(docker) == ["used"]
