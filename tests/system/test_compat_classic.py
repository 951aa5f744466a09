"""``swarm.compat=classic``: the output and errors of Swarm classic that scripts read."""

import json
import time
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def manager(engines, start_manager):
    addresses = ",".join(engine.address for engine in engines.values())
    manager = start_manager("--cluster-opt", "swarm.compat=classic", addresses)
    manager.wait_healthy(len(engines))
    return manager


@pytest.fixture(params=["20.10", "28"])
def classic(manager, make_docker, request):
    """The CLI of each release with a manager in classic's mode, without containers."""
    docker = make_docker(request.param, manager.host)
    docker.remove_all()
    yield docker
    docker.remove_all()


def refused(docker, *arguments):
    done = docker.run(*arguments)
    assert done.returncode != 0
    return done.stderr


def test_names_stand_behind_their_nodes(classic, engines):
    classic("run", "-d", "--name", "web", "-e", "constraint:node==old", "busybox", "sleep", "1000")
    assert classic("ps", "--format", "{{.Names}}") == "old/web"
    assert classic("inspect", "--format", "{{.Name}}", "old/web") == "/web"
    assert classic("inspect", "--format", "{{.Node.Name}}", "web") == "old"


def test_version_and_info_are_swarms(classic, manager):
    assert classic("version", "--format", "{{.Server.Version}}").startswith("swarm/")
    info = json.loads(classic("info", "--format", "{{json .}}"))
    assert info["ServerVersion"].startswith("swarm/")
    rows = [key for key, _ in manager.get("/info")["SystemStatus"]]
    assert rows[:4] == ["Role", "Strategy", "Filters", "Nodes"]
    assert rows[4:13] == [
        " middle", "  └ ID", "  └ Status", "  └ Containers", "  └ Reserved CPUs",
        "  └ Reserved Memory", "  └ Labels", "  └ UpdatedAt", "  └ ServerVersion",
    ]  # fmt: skip


def test_refusals_begin_with_classics_sentences(classic):
    run = ("run", "-d", "busybox", "true")
    text = refused(classic, *run[:2], "-e", "constraint:zone==gone", *run[2:])
    assert "Unable to find a node that satisfies the following conditions \n" in text
    assert "\n[available container slots]\n[zone==gone]\nno node fits: 0 of 3 nodes" in text
    text = refused(classic, *run[:2], "-m", "100t", *run[2:])
    assert "no resources available to schedule container: no node fits" in text


def test_a_name_that_is_taken_is_refused_in_classics_words(classic):
    classic("run", "-d", "--name", "web", "busybox", "sleep", "1000")
    text = refused(classic, "run", "-d", "--name", "web", "busybox", "true")
    assert (
        "Conflict: The name web is already assigned. You have to delete (or rename) that container"
        " to be able to assign web to a container again." in text
    )


def test_shares_are_cpus(classic):
    id = classic("run", "-d", "-c", "1", "-e", "constraint:node==old", "busybox", "sleep", "1000")
    cpus = int(classic("info", "--format", "{{.NCPU}}")) // 3
    assert cpus >= 1
    assert classic("inspect", "--format", "{{.HostConfig.CpuShares}}", id) == str(1024 // cpus)


def test_a_malformed_label_of_expressions_is_ignored(classic, manager):
    label = "com.docker.swarm.constraints=zone==gone"
    classic("run", "-d", "--label", label, "busybox", "true")
    assert "the label is ignored" in manager.log.read_text()


def test_events_name_the_node_in_from(classic, manager):
    began = time.time()
    id = classic("run", "-d", "-e", "constraint:node==old", "busybox", "true")
    filters = quote(json.dumps({"container": [id], "event": ["create"]}))
    path = f"/events?since={began:.9f}&until={time.time():.9f}&filters={filters}"
    assert manager.get(path)["from"] == "busybox node:old"


def test_a_discovery_file_that_is_not_there_yet_is_waited_for(engines, start_manager, tmp_path):
    path = tmp_path / "cluster"
    manager = start_manager("--cluster-opt", "swarm.compat=classic", f"file://{path}")
    assert manager.get("/info")["Containers"] == 0
    path.write_text(f"{engines['new'].address}\n")
    manager.wait_healthy(1)


def test_a_volume_is_made_on_every_node_and_listed_once_for_each(classic, engines):
    classic("volume", "create", "shared")
    shown = classic("volume", "ls", "-q", "--filter", "name=shared").split()
    assert sorted(shown) == sorted(f"{node}/shared" for node in engines)
    classic("volume", "create", "old/alone")
    assert classic("volume", "ls", "-q", "--filter", "name=alone") == "old/alone"
    classic("volume", "rm", "shared", "alone")
    assert classic("volume", "ls", "-q", "--filter", "name=shared") == ""


def test_local_networks_stand_behind_their_nodes(classic):
    classic("network", "create", "--label", 'com.docker.swarm.constraints=["node==old"]', "mine")
    assert classic("network", "ls", "--format", "{{.Name}}", "--filter", "name=mine") == "old/mine"
    assert classic("network", "inspect", "--format", "{{.Name}}", "old/mine") == "mine"
    classic("network", "rm", "mine")
