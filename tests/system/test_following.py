"""Networks and volumes on different nodes meet at the first container that needs them."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.docker

NODES = ("old", "middle", "new")


@pytest.fixture(autouse=True)
def nothing_left(fleet):
    """Remove containers first, because objects in use cannot be removed."""
    yield
    docker = fleet.docker()
    docker.remove_all()
    if names := docker("volume", "ls", "-q").split():
        docker("volume", "rm", *names)
    docker("network", "prune", "-f")


def holders(fleet, kind, name):
    """Return the engines that have a volume or a network of that name."""
    listed = {node: fleet.direct(node)(kind, "ls", "--format", "{{.Name}}") for node in NODES}
    return [node for node, names in listed.items() if name in names.split()]


def node_of(docker, container):
    return docker("inspect", "-f", "{{.Node.Name}}", container)


def on(node):
    return ("-e", f"constraint:node=={node}")


def make(docker, kind, *names):
    for name in names:
        docker(kind, "create", "--label", f"of={name}", name)


def test_volumes_made_one_after_another_are_used_together(docker, fleet):
    names = ("cache", "build", "data")
    make(docker, "volume", *names)
    assert len({node for name in names for node in holders(fleet, "volume", name)}) > 1
    mounts = [word for name in names for word in ("-v", f"{name}:/{name}")]
    docker("run", "--rm", *mounts, "busybox", "sh", "-c", "echo hello > /cache/file")
    (there,) = {tuple(holders(fleet, "volume", name)) for name in names}
    assert len(there) == 1
    assert docker("run", "--rm", *mounts, "busybox", "cat", "/cache/file") == "hello"
    labels = [docker("volume", "inspect", "-f", "{{.Labels.of}}", name) for name in names]
    assert labels == list(names)


@pytest.mark.parametrize("node", NODES)
def test_a_volume_and_a_network_follow_a_container_to_its_node(fleet, node):
    docker = fleet.docker()
    make(docker, "volume", "data")
    make(docker, "network", "web")
    id = docker("run", "-d", "--init", *on(node), "-v", "data:/d", "--network", "web", "busybox",
                "sleep", "600")  # fmt: skip
    assert node_of(docker, id) == node
    assert holders(fleet, "volume", "data") == holders(fleet, "network", "web") == [node]
    assert docker("network", "inspect", "-f", "{{json .Labels}}", "web") == '{"of":"web"}'


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize(
    "use", ["echo hi > /d/file", "touch /d/file", "mkdir /d/folder", "chown 1000 /d", "true"]
)
def test_a_volume_that_a_container_used_stays_even_where_it_has_no_size(fleet, node, use):
    docker = fleet.docker()
    docker("volume", "create", "data")
    docker("run", "--rm", *on(node), "-v", "data:/d", "busybox", "sh", "-c", use)
    assert holders(fleet, "volume", "data") == [node]
    elsewhere = ("-e", f"constraint:node!={node}")
    done = docker.run("run", "--rm", *elsewhere, "-v", "data:/d", "busybox", "true")
    assert (done.returncode, f"volume data is only on {node}" in done.stderr) == (125, True)
    assert holders(fleet, "volume", "data") == [node]


def test_a_volume_that_was_filled_on_its_engines_machine_stays(fleet):
    docker = fleet.docker()
    docker("volume", "create", "data")
    (there,) = holders(fleet, "volume", "data")
    path = fleet.direct(there)("volume", "inspect", "-f", "{{.Mountpoint}}", "data")
    fleet.engines[there].run("sh", "-c", f"echo by hand > {path}/file")
    elsewhere = ("-e", f"constraint:node!={there}")
    done = docker.run("run", "--rm", *elsewhere, "-v", "data:/d", "busybox", "true")
    assert f"volume data is only on {there}" in done.stderr
    assert docker("run", "--rm", "-v", "data:/d", "busybox", "cat", "/d/file") == "by hand"


def test_volumes_with_content_on_two_nodes_refuse_a_common_container(docker):
    for node, name in (("old", "first"), ("new", "second")):
        docker("run", "--rm", *on(node), "-v", f"{name}:/d", "busybox", "touch", "/d/file")
    both = ("-v", "first:/f", "-v", "second:/s")
    done = docker.run("run", "--rm", *both, "busybox", "true")
    assert "volume first is only on old" in done.stderr
    assert "volume second is only on new" in done.stderr


def test_connect_brings_a_network_to_a_running_container(docker, fleet):
    docker("run", "-d", "--init", "--name", "web", *on("new"), "busybox", "sleep", "600")
    ids = [docker("network", "create", f"net{number}") for number in range(3)]
    for number, id in enumerate(ids):
        docker("network", "connect", "--alias", "front", id, "web")
        assert holders(fleet, "network", f"net{number}") == ["new"]
    answer = docker("run", "--rm", "--network", ids[0], "busybox", "ping", "-c", "1", "front")
    assert "1 packets received" in answer
    assert [docker("network", "inspect", "-f", "{{.Name}}", id[:12]) for id in ids] == [
        "net0", "net1", "net2",
    ]  # fmt: skip
    docker("run", "-d", "--init", "--name", "far", *on("old"), "busybox", "sleep", "600")
    done = docker.run("network", "connect", "net0", "far")
    assert "network net0 is only on new, container far is on old" in done.stderr
    for number, id in enumerate(ids):
        docker("network", "disconnect", id, "web")
        assert docker("network", "rm", f"net{number}" if number else id)
    assert docker("network", "ls", "-q", "--filter", "type=custom") == ""


def test_a_network_that_is_made_after_its_container_is_where_that_is(docker, fleet):
    docker("create", "--name", "web", *on("middle"), "--network", "late", "busybox", "true")
    docker("network", "create", "late")
    assert holders(fleet, "network", "late") == ["middle"]
    docker("start", "-a", "web")


def test_creates_at_once_take_what_they_share_to_one_node(fleet):
    docker = fleet.docker()
    make(docker, "volume", "first", "second")
    make(docker, "network", "web")
    needs = ("-v", "first:/f", "-v", "second:/s", "--network", "web")
    nodes = list(itertools.islice(itertools.cycle(NODES), 9))

    def create(node):
        return docker.run("create", *on(node), *needs, "busybox", "true")

    with ThreadPoolExecutor(len(nodes)) as pool:
        done = list(pool.map(create, nodes))
    (there,) = {node for node, each in zip(nodes, done, strict=True) if each.returncode == 0}
    assert [each.returncode for each in done].count(0) == nodes.count(there)
    assert all(f"only on {there}" in each.stderr for each in done if each.returncode)
    for kind, name in (("volume", "first"), ("volume", "second"), ("network", "web")):
        assert holders(fleet, kind, name) == [there]


def test_unused_networks_are_spread_over_nodes(docker, fleet):
    names = [f"net{number}" for number in range(30)]
    for name in names:
        docker("network", "create", name)
    found = {name: holders(fleet, "network", name) for name in names[::5]}
    assert all(len(there) == 1 for there in found.values())
    assert {node for there in found.values() for node in there} == set(NODES)


def test_a_new_manager_knows_former_ids_and_unused_objects(fleet, start_manager, wait_until):
    addresses = ",".join(engine.address for engine in fleet.engines.values())
    first = start_manager(addresses)
    first.wait_healthy(3)
    docker = fleet.docker(host=first.host)
    id = docker("network", "create", "web")
    (there,) = holders(fleet, "network", "web")
    docker("run", "--rm", "-e", f"constraint:node!={there}", "--network", "web", "busybox", "true")
    assert holders(fleet, "network", "web") != [there]
    docker("volume", "create", "cache")
    (held,) = holders(fleet, "volume", "cache")
    docker("run", "--rm", *on("old"), "-v", "used:/d", "busybox", "mkdir", "/d/folder")
    # A 20.10 tells of this as if the volume were made now.
    docker("rm", docker("create", *on("old"), "-v", "used:/d:nocopy", "busybox"))
    first.stop()
    second = start_manager(addresses)
    second.wait_healthy(3)
    docker = fleet.docker(host=second.host)
    assert docker("network", "inspect", "-f", "{{.Name}} {{.Labels}}", id) == "web map[]"
    elsewhere = ("-e", f"constraint:node!={held}")

    def runs():
        return not docker.run(
            "run", "--rm", *elsewhere, "-v", "cache:/d", "busybox", "true"
        ).returncode

    wait_until(runs, "the new manager to know that nothing used the volume")
    done = docker.run("run", "--rm", *on("new"), "-v", "used:/d", "busybox", "true")
    assert "volume used is only on old" in done.stderr


def test_with_exhausted_address_pools_the_next_node_is_used(lab, fleet, start_manager):
    pools = ("--default-address-pool", "base=10.99.0.0/22,size=24")  # one is docker0's
    small = lab.start_engines(
        [
            {"name": "small1", "release": "20.10", "args": pools},
            {"name": "small2", "release": "28.5", "args": pools},
        ]
    )
    try:
        manager = start_manager(",".join(engine.address for engine in small))
        manager.wait_healthy(2)
        docker = fleet.docker(host=manager.host)
        full = fleet.docker(host=f"tcp://{small[0].address}")
        for number in range(3):
            full("network", "create", f"taken{number}")
        names = [f"net{number}" for number in range(3)]
        for name in names:
            docker("network", "create", name)
        shown = json.loads(docker("network", "inspect", *names))
        assert [network["Name"] for network in shown] == names
        refused = docker.run("network", "create", "more")
        assert refused.returncode == 1
        direct = [fleet.docker(host=f"tcp://{each.address}") for each in small]
        words = [each.run("network", "create", "more").stderr for each in direct]
        assert refused.stderr in words
        docker("network", "rm", *names, "taken0", "taken1", "taken2")
    finally:
        for engine in small:
            engine.stop()
