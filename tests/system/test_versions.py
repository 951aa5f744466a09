"""Engines of three releases, and a client newer than the oldest engine.

A request with a field that the oldest engine would ignore goes to another engine, is executed in
another way, or is refused.
"""

import json
import urllib.error
import urllib.request

import pytest

SUBPATH = "type=volume,src=data,dst=/data,volume-subpath=part"


@pytest.fixture
def docker(fleet, make_docker):
    """The newest CLI with its own API version, without objects afterwards."""
    docker = make_docker("28", fleet.manager.host, DOCKER_API_VERSION="1.51")
    yield docker
    if ids := docker("ps", "-aq", "--no-trunc").split():
        docker("rm", "-f", *ids)
    docker("volume", "prune", "-af")
    docker("network", "prune", "-f")


def node_of(docker, container):
    return docker("inspect", "-f", "{{.Node.Name}}", container)


def created_on(docker, *arguments, times=4):
    """Return the nodes of several creates with these arguments."""
    return {node_of(docker, docker("create", *arguments, "busybox")) for _ in range(times)}


def refusal(docker, *arguments):
    """Return the error of a command that must fail."""
    done = docker.run(*arguments)
    assert done.returncode != 0, done.stdout
    return done.stderr


# ---- placed where it is known


@pytest.mark.parametrize(
    ("arguments", "nodes"),
    [
        (["--annotation", "a=b"], {"middle", "new"}),
        (["--mount", "type=image,src=busybox,dst=/image"], {"new"}),
        (["--platform", "linux/amd64"], {"old", "middle", "new"}),
        (["--health-cmd", "true", "--health-start-interval", "1s"], {"old", "middle", "new"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_container_goes_to_engines_that_know_its_fields(docker, arguments, nodes):
    assert created_on(docker, *arguments) == nodes


def test_a_part_of_a_volume_is_mounted_by_an_engine_that_can(docker):
    docker("run", "--rm", "--mount", "type=volume,src=data,dst=/d", "-e", "constraint:node!=old",
           "busybox", "sh", "-c", "mkdir /d/part && touch /d/part/inner /d/outer")  # fmt: skip
    assert docker("run", "--rm", "--mount", SUBPATH, "busybox", "ls", "/data") == "inner"


def test_if_only_old_engines_fit_the_refusal_names_field_and_versions(docker):
    text = refusal(docker, "create", "--mount", SUBPATH, "-e", "constraint:node==old", "busybox")
    assert "VolumeOptions.Subpath needs API 1.45 (has 1.41 on old)" in text
    assert docker("ps", "-aq") == ""


def test_on_an_older_path_every_engine_refuses_as_the_new_ones_do(fleet, make_docker):
    docker = make_docker("28", fleet.manager.host, DOCKER_API_VERSION="1.44")
    for node in fleet.engines:
        text = refusal(
            docker, "create", "--mount", SUBPATH, "-e", f"constraint:node=={node}", "busybox"
        )
        assert "VolumeOptions.Subpath needs API v1.45 or newer" in text


def test_a_network_without_ipv4_is_made_on_an_engine_that_knows_the_field(docker):
    docker("network", "create", "--ipv4=false", "--ipv6", "six")
    (network,) = json.loads(docker("network", "inspect", "six"))
    assert network["EnableIPv4"] is False


# ---- done in another way


def test_an_engine_that_takes_one_network_at_create_gets_the_others_connected(docker):
    docker("network", "create", "old/front")
    docker("network", "create", "old/back")
    docker("create", "--name", "web", "--network", "front", "--network", "name=back,alias=inner",
           "busybox", "sleep", "600")  # fmt: skip
    networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    assert docker("inspect", "-f", "{{.Node.Name}} " + networks, "web").split() == [
        "old", "back", "front",
    ]  # fmt: skip
    docker("start", "web")
    for network, name in (("front", "web"), ("back", "inner")):
        heard = docker("run", "--rm", "--network", network, "busybox", "ping", "-c1", name)
        assert "1 packets received" in heard


def test_a_failed_connect_leaves_no_container_behind(docker):
    docker("network", "create", "old/front")
    docker("network", "create", "old/back")
    text = refusal(docker, "create", "--name", "web", "--network", "front",
                   "--network", "name=back,ip=192.0.2.7", "busybox")  # fmt: skip
    assert "user specified IP address is supported only" in text
    assert docker("ps", "-aq") == ""
    docker("create", "--name", "web", "busybox")


# ---- refused


def test_a_signal_to_stop_by_is_sent_or_refused(docker):
    for node in ("old", "new"):
        docker("run", "-d", "--init", "--name", f"on-{node}", "-e", f"constraint:node=={node}",
               "busybox", "sleep", "600")  # fmt: skip
    docker("stop", "--signal", "KILL", "on-new")
    assert docker("inspect", "-f", "{{.State.ExitCode}}", "on-new") == "137"
    text = refusal(docker, "stop", "--signal", "KILL", "on-old")
    assert '"signal" requires API version 1.42, which old lacks' in text
    assert docker("inspect", "-f", "{{.State.Running}}", "on-old") == "true"


def test_a_gateway_has_priority_or_the_connect_is_refused(docker):
    for node in ("old", "new"):
        docker("network", "create", f"{node}/net-{node}")
        docker("create", "--name", f"on-{node}", "-e", f"constraint:node=={node}", "busybox")
    docker("network", "connect", "--gw-priority", "7", "net-new", "on-new")
    priority = '{{(index .NetworkSettings.Networks "net-new").GwPriority}}'
    assert docker("inspect", "-f", priority, "on-new") == "7"
    text = refusal(docker, "network", "connect", "--gw-priority", "7", "net-old", "on-old")
    assert 'GwPriority" requires API version 1.48, which old lacks' in text


# ---- passed over, as older engines do


def test_harmless_unknown_fields_are_ignored(docker, fleet):
    docker("run", "-d", "--init", "--name", "web", "-e", "constraint:node==old", "busybox",
           "sleep", "600")  # fmt: skip
    assert docker("exec", "-t", "web", "echo", "hello") == "hello"
    images = fleet.manager.get("/v1.51/images/json?shared-size=1")
    assert any("busybox:latest" in image["RepoTags"] for image in images)


def test_disk_usage_has_only_requested_types_from_old_engines_too(docker, fleet):
    docker("create", "-e", "constraint:node==old", "busybox")
    usage = fleet.manager.get("/v1.51/system/df?type=container")
    assert len(usage["Containers"]) == 1
    assert not usage["Images"]
    assert not usage["Volumes"]


@pytest.fixture(scope="module")
def old_fleet(engines, start_manager):
    """A manager with only the engine of release 20.10."""
    manager = start_manager(engines["old"].address)
    manager.wait_healthy(1)
    return manager


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("v1.11", "version"), ("v1.12", "_ping"), ("v1.22", "containers/nope/json"),
        ("v1.24", "containers/nope/json"),
        ("v1.23", "networks/nope"), ("v1.22", "nowhere"),
    ],
)  # fmt: skip
def test_versions_before_124_are_answered_as_by_the_engine(engines, old_fleet, version, path):
    """Status, media type and text of the same request to the engine and to the manager."""
    direct, ours = (
        ask(f"http://{address}/{version}/{path}")
        for address in (engines["old"].address, f"127.0.0.1:{old_fleet.port}")
    )
    assert ours == direct


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()
