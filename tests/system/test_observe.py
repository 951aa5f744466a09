"""Looking at containers: ``ps``, ``inspect``, ``stats``, ``top``, ``events``."""

import json
import time

import pytest


@pytest.fixture
def trio_of_boxes(fleet, docker):
    """One container on each engine, with the engine's name."""
    for name in fleet.engines:
        docker("run", "-d", "--name", f"on-{name}", "--label", f"where={name}", "--label", "app",
               "-e", f"constraint:node=={name}", "busybox", "sleep", "600")  # fmt: skip
    return sorted(f"on-{name}" for name in fleet.engines)


def names(docker, *arguments):
    return sorted(docker("ps", "--format", "{{.Names}}", *arguments).split())


def test_ps_lists_all_engines_newest_first(docker, trio_of_boxes):
    assert names(docker) == trio_of_boxes
    assert docker("ps", "--format", "{{.Names}}").split()[0] == "on-new"
    assert docker("ps", "-n", "1", "--format", "{{.Names}}") == "on-new"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["name=on-o"], ["on-old"]),
        (["label=where=new"], ["on-new"]),
        (["label=app"], ["on-middle", "on-new", "on-old"]),
        (["label=app", "label=where=old"], ["on-old"]),
        (["status=running"], ["on-middle", "on-new", "on-old"]),
        (["status=exited"], []),
        (["ancestor=busybox"], ["on-middle", "on-new", "on-old"]),
        (["ancestor=nothing"], []),
        (["since=on-old"], ["on-middle", "on-new"]),
        (["before=on-new"], ["on-middle", "on-old"]),
        (["network=bridge"], ["on-middle", "on-new", "on-old"]),
        (["node=old"], ["on-old"]),
        (["health=none"], ["on-middle", "on-new", "on-old"]),
    ],
    ids=lambda value: " ".join(value) or "none",
)
def test_ps_filters(docker, trio_of_boxes, filters, expected):
    arguments = [part for text in filters for part in ("--filter", text)]
    assert names(docker, *arguments) == expected


def test_ps_formats(docker, trio_of_boxes):
    columns = '{{.Image}}|{{.Command}}|{{.Label "where"}}|{{.Status}}'
    line = docker("ps", "-a", "--filter", "name=on-old", "--no-trunc", "--format", columns)
    image, command, label, status = line.split("|")
    assert image == "busybox"
    assert command == '"sleep 600"'
    assert label == "old"
    assert status.startswith("Up ")


def test_ps_sizes(docker, trio_of_boxes):
    assert "virtual" in docker("ps", "-s", "--filter", "name=on-old", "--format", "{{.Size}}")


def test_ps_shows_exit_codes_and_filters_by_them(docker):
    docker.run("run", "--name", "seven", "busybox", "sh", "-c", "exit 7")
    assert names(docker, "-a", "--filter", "exited=7") == ["seven"]
    assert docker("ps", "-a", "--format", "{{.Status}}").startswith("Exited (7)")


def test_an_unknown_filter_is_refused_as_the_engine_does(docker):
    done = docker.run("ps", "--filter", "colour=red")
    assert done.returncode == 1
    assert "colour" in done.stderr


def test_inspect_has_the_node_and_keeps_every_field_of_the_engine(fleet, docker, trio_of_boxes):
    for name, engine in fleet.engines.items():
        through = json.loads(docker("inspect", f"on-{name}"))[0]
        direct = json.loads(fleet.direct(name, "28")("inspect", f"on-{name}"))[0]
        node = through.pop("Node")
        assert node["Name"] == name
        assert node["IP"] == engine.ip
        assert node["Addr"] == engine.address
        assert through.keys() == direct.keys()
        assert through == direct


def test_inspect_takes_ids_prefixes_and_node_names(docker, trio_of_boxes):
    id = docker("inspect", "-f", "{{.Id}}", "on-old")
    for text in (id, id[:12], id[:6], "old/on-old", "on-old"):
        assert docker("inspect", "-f", "{{.Id}}", text) == id


def test_inspect_of_an_unknown_container(docker):
    done = docker.run("inspect", "ghost")
    assert done.returncode == 1
    assert "No such object: ghost" in done.stderr


def test_stats_of_all_engines(docker, trio_of_boxes):
    lines = docker("stats", "--no-stream", "--format", "{{.Name}}").split()
    assert sorted(lines) == trio_of_boxes


def test_top(docker, trio_of_boxes):
    for name in trio_of_boxes:
        assert "sleep 600" in docker("top", name)


def test_events_arrive_from_every_engine_filtered(fleet, docker, wait_until):
    filters = ("type=container", "event=start", "label=watch")
    arguments = [part for text in filters for part in ("--filter", text)]
    wait_until(lambda: not fleet.manager.get("/info")["NEventsListener"], "others to be gone")
    follow = docker.start("events", *arguments, "--format", "{{.Actor.Attributes.name}}")
    fleet_names = sorted(fleet.engines)
    # The follower is in place once the manager counts it.
    wait_until(lambda: fleet.manager.get("/info")["NEventsListener"], "the events client")
    for name in fleet_names:
        docker("run", "-d", "--name", f"w-{name}", "--label", "watch",
               "-e", f"constraint:node=={name}", "busybox", "sleep", "600")  # fmt: skip
        docker("run", "--rm", "busybox", "true")
    seen = sorted(follow.stdout.readline().strip() for _ in fleet_names)
    follow.terminate()
    follow.communicate(timeout=60)
    assert seen == sorted(f"w-{name}" for name in fleet_names)


def test_past_events_are_replayed_in_order(fleet, docker):
    name = f"past-{time.time_ns()}"
    docker("run", "--name", name, "busybox", "true")
    docker("rm", name)
    until = str(int(time.time()) + 1)  # the client cuts off fractions
    actions = docker("events", "--since", "1m", "--until", until, "--filter", f"container={name}",
                     "--format", "{{.Action}}").split()  # fmt: skip
    life = ["create", "start", "die", "destroy"]
    assert [action for action in actions if action in life] == life


def test_info_lists_the_nodes_as_classic_did(fleet, docker):
    text = docker("info")
    assert "Role: primary" in text
    assert "Nodes: 3" in text
    for name, engine in fleet.engines.items():
        assert f"{name}: {engine.address}" in text
    assert text.count("Status: Healthy") == 3


def test_info_has_the_fields_of_an_engine_of_the_clients_version(engines, start_manager):
    engine = engines["new"]
    manager = start_manager(engine.address)
    manager.wait_healthy(1)
    for version in ("1.41", "1.46", "1.51"):
        path = f"/v{version}/info"
        assert engine.api.call("GET", path).keys() - manager.get(path).keys() == set(), version


def test_version_shows_client_and_server(docker):
    assert docker("version", "--format", "{{.Server.APIVersion}}") == "1.41"
