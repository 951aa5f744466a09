"""Containers of lost and of drained engines, on real engines: each runs elsewhere, exactly once."""

import json
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack

import pytest
from swarmcore_lab.stores import EtcdStore
from swarmcore_lab.stores import running as running_store

from tests.system.manager import SWARMCORE
from tests.system.replication.members import Managers, Member
from tests.system.test_outages import CutOff, Killed

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NODES = {"move-old": "20.10", "move-middle": "26.1", "move-new": "28.5"}
MANY = 20
POLICY = ("-e", "reschedule:on-node-failure")
#: Unhealthy engines are flagged within 15 s; ``swarm.reschedule.after`` is 2 s here.
SOON_SECONDS = 60


@pytest.fixture(scope="module")
def move_engines(lab):
    """Engines that no other test uses."""
    engines = lab.start_engines([{"name": name, "release": each} for name, each in NODES.items()])
    lab.image(engines)
    yield {engine.name: engine for engine in engines}
    for engine in engines:
        engine.stop()


@pytest.fixture
def manager(move_engines, start_manager):
    """A manager that ends with its test: beside those of another test, it would move, too."""
    addresses = ",".join(engine.address for engine in move_engines.values())
    manager = start_manager("--cluster-opt", "swarm.reschedule.after=2s", addresses)
    manager.wait_healthy(len(move_engines))
    yield manager
    manager.stop()


@pytest.fixture
def docker(manager, make_docker):
    docker = make_docker("28", manager.host)
    yield docker
    manager.wait_healthy(len(NODES))
    docker.remove_all()


def run(docker, name, *arguments, on="==~move-middle", policy=POLICY):
    """Run a container on a node; ``==~`` is a soft constraint, which a lost node cannot meet."""
    docker("run", "-d", "--name", name, *arguments, *policy,
           "-e", f"constraint:node{on}", "busybox", "sleep", "600")  # fmt: skip


def running(engines, *, but=()):
    """Return name -> number of running containers, as the engines themselves list them."""
    found = Counter()
    for engine in engines.values():
        if engine.name not in but:
            rows = engine.api.call("GET", "/containers/json")
            found.update(row["Names"][0].removeprefix("/") for row in rows)
    return found


def moves(manager):
    return {each["Name"]: each for each in manager.get("/swarmcore/moves")}


def wait_healthy(manager):
    manager.wait_healthy(len(NODES), SOON_SECONDS)


@pytest.mark.parametrize("outage", [Killed(), CutOff()], ids=["killed", "cut off"])
def test_containers_of_a_lost_engine_run_elsewhere_exactly_once(
    docker, manager, move_engines, wait_until, outage
):
    names = [f"web-{number}" for number in range(MANY)]
    for name in names:
        run(docker, name, "--label", "tier=web")
    run(docker, "stays", policy=())
    identity = ("inspect", "-f", '{{.Id}} {{index .Config.Labels "com.docker.swarm.id"}}')
    before = {name: docker(*identity, name).split() for name in names}
    lost = move_engines["move-middle"]
    outage.begin(lost)
    try:
        wait_until(
            lambda: all(running(move_engines, but=["move-middle"])[name] == 1 for name in names),
            "all containers to run elsewhere", SOON_SECONDS,
        )  # fmt: skip
        shown = docker("ps", "-a", "--filter", "label=tier=web", "--format", "{{.Names}}").split()
        assert sorted(shown) == sorted(names)
        assert running(move_engines, but=["move-middle"])["stays"] == 0
        for name in names:
            id, swarm_id = docker(*identity, name).split()
            assert id != before[name][0]
            assert swarm_id == before[name][1]
        assert docker("exec", names[0], "echo", "here") == "here"
    finally:
        outage.end(lost)
    wait_healthy(manager)
    # The engine has removed its own before it counted as healthy.
    rows = lost.api.call("GET", "/containers/json?all=1")
    assert [row["Names"] for row in rows] == [["/stays"]]
    assert all(running(move_engines)[name] == 1 for name in names)
    assert {moves(manager)[name]["State"] for name in names} == {"moved"}


def test_a_local_volume_keeps_its_container_and_its_content(
    docker, manager, move_engines, wait_until
):
    refused = docker.run("run", "-v", "data:/data", *POLICY, "busybox", "true")
    assert "add the label com.docker.swarm.reschedule-volumes=abandon" in refused.stderr
    # A client of the engine can still make such a container.
    label = 'com.docker.swarm.reschedule-policies=["on-node-failure"]'
    docker.at(move_engines["move-middle"].address)(
        "run", "-d", "--name", "keeps", "-v", "data:/data", "--label", label,
        "busybox", "sleep", "600",
    )  # fmt: skip
    wait_until(lambda: docker.run("inspect", "keeps").returncode == 0, "the container to be known")
    docker("exec", "keeps", "sh", "-c", "echo precious > /data/file")
    run(docker, "leaves", "-v", "other:/data",
        "--label", "com.docker.swarm.reschedule-volumes=abandon", on="==~move-new")  # fmt: skip
    node = docker("inspect", "-f", "{{.Node.Name}}", "leaves")
    docker("exec", "leaves", "sh", "-c", "echo old > /data/file")
    for name in {"move-middle", node}:
        move_engines[name].kill()
    try:
        wait_until(lambda: moves(manager).get("keeps", {}).get("Error"), "the refusal")
        wait_until(lambda: moves(manager).get("leaves", {}).get("State") == "moved", "the move")
        assert "its volumes there (data) would stay behind" in moves(manager)["keeps"]["Error"]
        assert docker.run("exec", "leaves", "cat", "/data/file").returncode == 1
    finally:
        for name in {"move-middle", node}:
            move_engines[name].restart()
    wait_healthy(manager)
    docker("start", "keeps")
    assert docker("exec", "keeps", "cat", "/data/file") == "precious"
    volumes = move_engines[node].api.call("GET", "/volumes")["Volumes"]
    assert "other" in [each["Name"] for each in volumes]


def test_rules_hold_for_moves_and_a_refusal_is_tried_again(
    docker, manager, move_engines, wait_until
):
    run(docker, "bound", on="==move-middle")
    run(docker, "first", "-p", "18123:80")
    for name in ("move-old", "move-new"):
        run(docker, f"holder-{name}", "-p", "18123:80", on=f"=={name}", policy=())
    move_engines["move-middle"].kill()
    try:
        wait_until(lambda: moves(manager).get("first", {}).get("Attempts", 0) > 1, "two attempts")
        wait_until(lambda: moves(manager).get("bound", {}).get("Error"), "a refusal")
        assert "constraint node==move-middle" in moves(manager)["bound"]["Error"]
        assert "18123" in moves(manager)["first"]["Error"]
    finally:
        move_engines["move-middle"].restart()
    wait_healthy(manager)
    assert (
        docker("inspect", "-f", "{{.Node.Name}}", "bound", "first").split() == ["move-middle"] * 2
    )


COMPOSE = """
services:
  web:
    image: busybox
    command: sleep 600
    environment: ["reschedule:on-node-failure"]
    deploy:
      replicas: 3
"""


def test_a_compose_project_moves_and_compose_finds_it(
    docker, manager, move_engines, wait_until, tmp_path
):
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    compose = ("compose", "-p", "moving", "-f", str(tmp_path / "compose.yaml"))
    docker(*compose, "up", "-d")
    names = [f"moving-web-{number}" for number in (1, 2, 3)]
    assert running(move_engines) == dict.fromkeys(names, 1)
    lost = docker("inspect", "-f", "{{.Node.Name}}", names[0])
    move_engines[lost].kill()
    try:
        wait_until(lambda: all(running(move_engines, but=[lost])[name] == 1 for name in names),
                   "the project to run elsewhere", SOON_SECONDS)  # fmt: skip
        rows = docker(*compose, "ps", "--format", "json").splitlines()
        assert sorted(json.loads(row)["Name"] for row in rows) == names
        docker(*compose, "up", "-d")
        assert all(running(move_engines, but=[lost])[name] == 1 for name in names)
        # The project's network was created again, and all of it is on one node.
        assert docker("exec", names[0], "ping", "-c", "1", names[1])
        assert docker("exec", names[1], "ping", "-c", "1", "web")
    finally:
        move_engines[lost].restart()
    wait_healthy(manager)
    assert running(move_engines) == dict.fromkeys(names, 1)

    def networks():
        return docker("network", "ls", "--filter", "name=moving_default", "-q").splitlines()

    wait_until(lambda: len(networks()) == 1, "the old network to be removed")
    docker(*compose, "down")
    assert running(move_engines) == {}
    assert networks() == []


def test_a_drained_node_is_emptied_by_a_command(docker, manager, move_engines):
    def swarmcore(*words):
        done = subprocess.run(
            [SWARMCORE, *words], env={**docker.environment, "COLUMNS": "100"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    for number in range(3):
        run(docker, f"web-{number}")
    run(docker, "stays", policy=())
    try:
        status, text = swarmcore("drain", "move-middle", "--move", "--wait", "--timeout", "25s")
        assert status == 1
        assert "containers still run there after 25 s" in text
        rows = move_engines["move-middle"].api.call("GET", "/containers/json?all=1")
        assert [row["Names"] for row in rows] == [["/stays"]]
        assert running(move_engines) == dict.fromkeys(("stays", "web-0", "web-1", "web-2"), 1)
        status, text = swarmcore("moves")
        assert status == 0
        assert text.count("moved from move-middle to move-") >= 3
        docker("rm", "-f", "stays")
        assert swarmcore("drain", "move-middle", "--move", "--wait", "--timeout", "25s")[0] == 0
    finally:
        swarmcore("undrain", "move-middle")


def test_containers_of_an_engine_that_left_the_list_move_if_that_is_asked_for(
    docker, move_engines, start_manager, make_docker, tmp_path, wait_until
):
    listed = tmp_path / "engines"
    addresses = {name: engine.address for name, engine in move_engines.items()}
    listed.write_text("\n".join(addresses.values()))
    manager = start_manager("--cluster-opt", "swarm.reschedule.departed=2m", f"file://{listed}")
    manager.wait_healthy(len(NODES))
    docker = make_docker("28", manager.host)
    run(docker, "leaves")
    run(docker, "stays", policy=())
    del addresses["move-middle"]
    shorter = tmp_path / "shorter"
    shorter.write_text("\n".join(addresses.values()))
    shorter.replace(listed)
    wait_until(
        lambda: {node["Name"] for node in manager.get("/swarmcore/nodes")} == set(addresses),
        "the engine to leave", SOON_SECONDS,
    )  # fmt: skip
    assert moves(manager)["leaves"]["State"] == "moved"
    assert docker("ps", "-a", "--format", "{{.Names}}") == "leaves"
    assert running(move_engines) == {"leaves": 1, "stays": 1}
    manager.stop()


# ---- the primary dies in the middle

TTL_SECONDS = 5


@pytest.fixture
def managers(move_engines, tmp_path):
    """Two managers with an etcd, of which one leads."""
    with ExitStack() as stack:
        store = stack.enter_context(running_store(EtcdStore(tmp_path / "store")))
        for engine in move_engines.values():
            store.put(f"cluster/docker/swarm/nodes/{engine.address}", engine.address)
        options = ("--cluster-opt", "swarm.reschedule.after=2s",
                   "--cluster-opt", "swarm.reschedule.parallel=1")  # fmt: skip
        members = []
        for number in range(2):
            log = tmp_path / f"{number}.log"
            member = Member(store, "cluster", log, TTL_SECONDS, *options)
            stack.enter_context(member.proxy)
            stack.callback(member.end)
            member.manager.start()
            members.append(member)
        managers = Managers(members, TTL_SECONDS)
        managers.wait_settled()
        for member in members:
            member.manager.wait_healthy(len(NODES))
        yield managers


def test_a_new_primary_takes_moves_up_and_repeats_none(
    managers, move_engines, make_docker, wait_until
):
    first = managers.leader()
    docker = make_docker("28", first.manager.host)
    names = [f"web-{number}" for number in range(8)]
    for name in names:
        run(docker, name)
    lost = move_engines["move-middle"]
    lost.kill()
    elsewhere = {"but": ["move-middle"]}
    try:
        wait_until(lambda: sum(running(move_engines, **elsewhere).values()) >= 2, "two moves")
        mandate = managers.mandates()[-1]
        first.signal(signal.SIGKILL)
        moved = sum(running(move_engines, **elsewhere).values())
        assert moved < len(names)
        managers.wait_successor(mandate)
        wait_until(
            lambda: running(move_engines, **elsewhere) == dict.fromkeys(names, 1),
            "all containers to run elsewhere", SOON_SECONDS,
        )  # fmt: skip
    finally:
        lost.restart()
    second = managers.leader()
    assert second is not first
    second.manager.wait_healthy(len(NODES), SOON_SECONDS)
    assert running(move_engines) == dict.fromkeys(names, 1)
    docker = make_docker("28", second.manager.host)
    assert sorted(docker("ps", "-a", "--format", "{{.Names}}").split()) == names
    docker.remove_all()
