"""Every scheduling filter with the real CLI and engines with labels."""

import json
import re

import pytest

from tests.system.docker import Docker

pytestmark = pytest.mark.docker

NODES = {
    "north": ("20.10", {"zone": "eu-north", "disk": "ssd", "containerslots": "many"}),
    "south": ("26.1", {"zone": "eu-south", "disk": "nvme"}),
    "west": ("28.5", {"zone": "us-west", "containerslots": "3"}),
}
LABELS = {
    "constraint": "com.docker.swarm.constraints",
    "affinity": "com.docker.swarm.affinities",
    "whitelist": "com.docker.swarm.whitelists",
}


def in_the_environment(family, *expressions):
    return [word for each in expressions for word in ("-e", f"{family}:{each}")]


def in_a_label(family, *expressions):
    return ["--label", f"{LABELS[family]}={json.dumps(expressions)}"]


BOTH_FORMS = pytest.mark.parametrize("form", [in_the_environment, in_a_label])


@pytest.fixture(scope="module")
def nodes(lab):
    specs = [
        {"name": name, "release": release, "labels": labels}
        for name, (release, labels) in NODES.items()
    ]
    started = lab.start_engines(specs)
    lab.image(started)
    yield {engine.name: engine for engine in started}
    for engine in started:
        engine.power_off()


@pytest.fixture(scope="module")
def manager(nodes, start_manager):
    manager = start_manager(",".join(engine.address for engine in nodes.values()))
    manager.wait_healthy(len(nodes))
    yield manager
    manager.stop()


@pytest.fixture
def docker(lab, manager):
    docker = Docker(lab.cli("28"), manager.host)
    yield docker
    docker.remove_all()


@pytest.fixture
def node_of(docker):
    """Create a container with some options; return the name of its node."""

    def create(*options):
        id = docker("create", *options, "busybox", "true")
        return docker("inspect", "-f", "{{.Node.Name}}", id)

    return create


@pytest.fixture
def refusal(docker):
    """Try to create a container with some options; return the CLI's error."""

    def create(*options):
        done = docker.run("create", *options, "busybox", "true")
        assert done.returncode != 0, done.stdout
        return done.stderr

    return create


@pytest.mark.parametrize(
    ("expressions", "node"),
    [
        (["node==sou*"], "south"),
        (["node!=/^(north|south)$/"], "west"),
        (["zone==eu-s*"], "south"),
        (["zone==/(?i)^US/"], "west"),
        (["disk==/ssd|nvme/", "zone!=*south"], "north"),
        (["rack!=b", "zone==us-west"], "west"),
        (["storagedriver==overlay2", "ostype==linux", "node==west"], "west"),
        (["kernelversion==/^[0-9]+[.]/", "operatingsystem!=BeOS", "node==north"], "north"),
        (["disk==~nvme"], "south"),
        (["zone==~mars", "disk==ssd"], "north"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_constraint_chooses(node_of, expressions, node):
    assert node_of(*in_the_environment("constraint", *expressions)) == node


def test_constraints_are_read_from_a_label_too(node_of, refusal):
    assert node_of(*in_a_label("constraint", "zone==/(?i)EU/", "zone!=*north")) == "south"
    assert node_of(*in_a_label("constraint", "disk==~ssd")) == "north"
    both = [*in_a_label("constraint", "zone==eu-*"), "-e", "constraint:disk!=nvme"]
    assert node_of(*both) == "north"
    assert "3 constraint zone==mars" in refusal(*in_a_label("constraint", "zone==mars"))


def test_a_constraint_that_no_node_meets_is_counted(refusal):
    said = refusal("-e", "constraint:zone==mars")
    assert "0 of 3 nodes: 3 constraint zone==mars" in said


@BOTH_FORMS
def test_a_whitelist_names_nodes_without_patterns(node_of, refusal, form):
    assert node_of(*form("whitelist", "node==south|nowhere")) == "south"
    assert node_of(*form("whitelist", "node==south|west", "more==west|north")) == "west"
    assert node_of(*form("whitelist", "node==~nowhere"), "-e", "constraint:node==west") == "west"
    assert "3 whitelist node==sou*" in refusal(*form("whitelist", "node==sou*"))


@BOTH_FORMS
def test_an_affinity_goes_where_a_container_is(docker, node_of, form):
    place = ["-e", "constraint:node==south"]
    id = docker("create", "--name", "db", "--label", "tier=db", *place, "busybox", "true")
    for value in ("db", "d*", id, id[:12]):
        assert node_of(*form("affinity", f"container=={value}")) == "south"
    assert node_of(*form("affinity", "tier==db")) == "south"


@BOTH_FORMS
def test_an_affinity_keeps_containers_apart(node_of, refusal, form):
    apart = ["--label", "tier=web", *form("affinity", "tier!=web")]
    assert {node_of(*apart) for _ in NODES} == set(NODES)
    assert "3 affinity tier!=web" in refusal(*apart)
    wish = ["--label", "tier=web", *form("affinity", "tier!=~web")]
    assert node_of(*wish) in NODES


@BOTH_FORMS
def test_an_affinity_goes_where_an_image_is(docker, node_of, form):
    docker("create", "--name", "seed", "-e", "constraint:node==south", "busybox", "true")
    id = docker("commit", "seed", "special:v1").removeprefix("sha256:")
    for word in ("special", "special:v1", "special:v*", f"sha256:{id}", id, id[:12]):
        assert node_of(*form("affinity", f"image=={word}")) == "south"
    assert node_of(*form("affinity", "image!=special"), "-e", "constraint:node!=north") == "west"


@pytest.mark.parametrize(
    "words",
    [
        ["--volumes-from", "db:ro"],
        ["--link", "db:alias"],
        ["--network", "container:db"],
        ["--ipc", "container:db"],
        ["--pid", "container:db"],
    ],
    ids=" ".join,
)
def test_a_container_that_uses_another_is_placed_beside_it(docker, node_of, refusal, words):
    docker("create", "--name", "db", "-e", "constraint:node==west", "busybox", "true")
    assert node_of(*words) == "west"
    said = refusal(*words, "-e", "constraint:node==north")
    assert "container db is only on west" in said


def test_a_port_is_given_once_on_each_node(node_of, refusal):
    port = ["-p", "9280:80"]
    assert {node_of(*port) for _ in NODES} == set(NODES)
    assert "0 of 3 nodes: 3 port 9280/tcp (taken by " in refusal(*port)
    assert "3 port 9280/tcp" in refusal("--network", "host", "--expose", "9280")
    assert node_of("-p", "9280:80/udp") in NODES
    assert node_of("-p", "9281:80") in NODES


def test_an_engine_takes_as_many_containers_as_it_has_slots(docker, node_of, refusal):
    here = ["-e", "constraint:node==west"]
    for name in ("one", "two", "three"):
        assert node_of("--name", name, *here) == "west"
    assert "container slots 3 of 3 taken on west" in refusal(*here)
    assert node_of() in ("north", "south")
    docker("rm", "two")
    assert node_of(*here) == "west"


@pytest.mark.parametrize("release", ["20.10", "28"])
def test_expressions_live_on_in_labels_of_the_engine(lab, nodes, manager, docker, release):
    options = [
        *in_the_environment("constraint", "node==north"),
        *in_the_environment("affinity", "image==~busybox"),
        *in_the_environment("whitelist", "node==north|south"),
        *in_the_environment("reschedule", "on-node-failure"),
        *("-e", "constraint=stays", "-e", "KEPT=1"),
    ]
    as_user = Docker(lab.cli(release), manager.host)
    id = as_user("create", *options, "busybox", "true")
    engine = Docker(lab.cli("20.10"), f"tcp://{nodes['north'].address}")
    config = json.loads(engine("inspect", "-f", "{{json .Config}}", id))
    labels = config["Labels"]
    assert re.fullmatch("[0-9a-f]{64}", labels.pop("com.docker.swarm.id"))
    assert labels == {
        "com.docker.swarm.constraints": '["node==north"]',
        "com.docker.swarm.affinities": '["image==~busybox"]',
        "com.docker.swarm.whitelists": '["node==north|south"]',
        "com.docker.swarm.reschedule-policies": '["on-node-failure"]',
    }
    assert [entry for entry in config["Env"] if ":" in entry.partition("=")[0]] == []
    assert {"constraint=stays", "KEPT=1"} <= set(config["Env"])


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        (
            ["-e", "constraint:zone=eu-north"],
            "One of operator ==, != is expected (character 5); did you mean zone==eu-north?",
        ),
        (["-e", "affinity:image==/(/"], "(character 8); did you mean image==/\\(/?"),
        (
            ["-e", "constraint:zonne==eu-north"],
            "3 constraint zonne==eu-north; no node has zonne (character 1 of zonne==eu-north):"
            " did you mean zone==eu-north?",
        ),
        (["-m", "4096g"], "memory: no node has 4 TiB, ask for "),
        (["-e", "reschedule:always"], "invalid reschedule policy: always; known: off, on-node"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_refusal_lists_possible_values(refusal, option, answer):
    assert answer in refusal(*option)


BREAKING = """
from swarmcore import hookimpl
from swarmcore.protocols import Rule

@hookimpl
def swarmcore_filter():
    return Breaking()

class Breaking:
    name = "breaking"

    def rules(self, config):
        return [Rule("whole", lambda node: 1 / 0 if config.name == "breaks" else None)]
"""


def test_a_plugin_that_breaks_fails_that_create_alone(lab, nodes, start_manager, tmp_path):
    (tmp_path / "breaking.py").write_text(BREAKING)
    plugins = ["--plugin", str(tmp_path / "breaking.py"), "--plugin", "filter_health"]
    manager = start_manager(*plugins, nodes["north"].address)
    manager.wait_healthy(1)
    docker = Docker(lab.cli("28"), manager.host)
    done = docker.run("create", "--name", "breaks", "busybox", "true")
    assert "filter breaking failed: whole: ZeroDivisionError" in done.stderr
    assert docker("create", "--name", "works", "busybox", "true")
    docker("rm", "works")
    manager.stop()
