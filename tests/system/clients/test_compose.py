"""``docker compose`` v2: projects of several services, from up to down."""

import json
import signal
import time
import urllib.request
from pathlib import Path

import pytest
from swarmcore_lab.engine_api import EngineApi

from tests.system.clients.composing import Project, left_of, stay
from tests.system.waiting import fetch

COMPOSE = "docker compose"


@pytest.fixture
def make_project(target, make_docker, versions, tmp_path):
    """Make a project with a name and a configuration at the target."""
    docker = make_docker("28", target.host)
    versions[COMPOSE] = docker("compose", "version", "--short").partition("+")[0]
    api = EngineApi(target.name, Path(target.socket.removeprefix("unix://")))

    def make(name, file):
        project = Project(name, docker, ("compose",), tmp_path, api)
        project.write(file)
        return project

    return make


SHOP = f"""
services:
  db:
    image: busybox
    command: {stay("touch /data/ready")}
    volumes: [data:/data]
    networks: [back]
    healthcheck: {{test: [CMD, test, -e, /data/ready], interval: 0.2s, retries: 100}}
  setup:
    image: busybox
    command: echo set up
    networks: [back]
    depends_on: {{db: {{condition: service_healthy}}}}
  web:
    build: {{context: app, args: {{WORD: hello}}}}
    environment: {{COLOUR: green}}
    networks: [front, back]
    ports: ["80"]
    depends_on: {{setup: {{condition: service_completed_successfully}}}}
networks: {{front: {{}}, back: {{internal: true}}}}
volumes: {{data: {{}}}}
"""


@pytest.mark.client(COMPOSE, "builds, brings up, leaves alone and takes down a whole project")
def test_project(target, make_project, shared_fleet, wait_until):
    shop = make_project("shop", SHOP)
    shop("up", "-d", "--build")
    wait_until(lambda: "started" in shop("logs", "web"), "the server to listen")
    rows = [json.loads(line) for line in shop("ps", "-a", "--format", "json").splitlines()]
    told = {row["Service"]: (row["State"], row["Health"], row["ExitCode"]) for row in rows}
    assert told == {
        "db": ("running", "healthy", 0),
        "setup": ("exited", "", 0),
        "web": ("running", "", 0),
    }
    assert shop("exec", "-T", "web", "sh", "-c", "echo $COLOUR; ping -c 1 db").startswith("green")
    host, _, port = shop("port", "web", "80").rpartition(":")
    if host == "0.0.0.0":  # of the engine itself
        host = target.host.removeprefix("tcp://").partition(":")[0]
    assert fetch(f"http://{host}:{port}/word") == b"hello\n"
    ids = shop.ids()
    shop("up", "-d")
    assert shop.ids() == ids
    shop("down", "-v", "-t", "0")
    left = {name: left_of("shop", each.api) for name, each in shared_fleet.engines.items()}
    assert left == {"old": [], "middle": [], "new": []}


PAIR = f"""
services:
  db:
    image: busybox
    command: {stay("touch /data/ready; echo up")}
    volumes: [data:/data]
  web:
    image: busybox
    command: {stay("echo started")}
    environment: {{COLOUR: $COLOUR}}
    ports: ["80"]
    depends_on: [db]
volumes: {{data: {{}}}}
"""


@pytest.fixture
def pair(make_project):
    """``web``, and ``db`` on which it depends, on a network of the project."""
    pair = make_project("pair", PAIR.replace("$COLOUR", "green"))
    pair("up", "-d")
    return pair


@pytest.mark.client(COMPOSE, "runs commands in services, copies files, shows processes and images")
def test_commands(pair, tmp_path):
    assert "1 packets received" in pair("exec", "-T", "web", "ping", "-c", "1", "db")
    assert pair.run("exec", "-T", "web", "sh", "-c", "exit 7").returncode == 7
    assert pair("run", "--rm", "web", "sh", "-c", "echo $COLOUR; ping -c 1 db").startswith("green")
    assert len(pair.ids()) == 2
    (tmp_path / "sent").write_text("there and back")
    pair("cp", str(tmp_path / "sent"), "web:/tmp/sent")
    pair("cp", "web:/tmp/sent", str(tmp_path / "got"))
    assert (tmp_path / "got").read_text() == "there and back"
    top = pair("top").splitlines()
    assert {line.split()[0] for line in top[1:]} == {"db", "web"}
    assert [image["Repository"] for image in json.loads(pair("images", "--format", "json"))] == [
        "busybox",
        "busybox",
    ]


@pytest.mark.client(COMPOSE, "restarts one service, stops and starts all, tells logs and events")
def test_lifecycle(pair, tmp_path, wait_until):
    ids, web, since = pair.ids(), pair.inspect("web"), int(time.time())
    log = tmp_path / "log"
    following = pair.start(log, "logs", "-f", "--no-log-prefix", "web")
    wait_until(lambda: "started" in log.read_text(), "the log to be followed")

    def wait_up(times):
        wait_until(
            lambda: pair("logs", "--no-log-prefix", "db").splitlines() == ["up"] * times,
            f"db to have come up {times} times",
        )

    wait_up(1)
    pair("restart", "-t", "5", "db")
    wait_up(2)
    assert pair.inspect("web")["State"]["StartedAt"] == web["State"]["StartedAt"]
    pair("stop", "-t", "5")
    assert pair.states() == {"db": "exited", "web": "exited"}
    assert following.wait(60) == 0, log.read_text()
    pair("start")
    assert pair.states() == {"db": "running", "web": "running"}
    assert pair.ids() == ids
    wait_up(3)
    until = int(time.time()) + 1
    told = pair.run("events", "--json", "--since", str(since), "--until", str(until))
    assert told.stderr in ("", "EOF\n")  # how compose takes the end that it asked for
    events = [json.loads(line) for line in told.stdout.splitlines()]
    actions = [event["action"] for event in events if event["service"] == "db"]
    told_of = [each for each in actions if each in ("restart", "stop", "start")]
    assert told_of[-5:] == ["stop", "start", "restart", "stop", "start"]


@pytest.mark.client(COMPOSE, "scales, and makes anew only the service whose settings changed")
def test_changes(pair):
    (db,), (first,) = pair.ids("db"), pair.ids("web")
    pair("up", "-d", "--scale", "web=3")
    assert len(pair.ids("web")) == 3
    pair("up", "-d", "--scale", "web=1")
    assert pair.ids("web") == [first]
    pair.write(PAIR.replace("$COLOUR", "blue"))
    pair("up", "-d")
    assert pair.ids("db") == [db]
    assert pair.ids("web") != [first]
    assert "COLOUR=blue" in pair.inspect("web")["Config"]["Env"]


JOINED = f"""
services:
  main:
    image: busybox
    command: {stay("echo kept >/data/word; echo ready")}
    volumes: [data:/data]
  near:
    image: busybox
    network_mode: service:main
    volumes_from: [main]
    command: {stay("echo ready")}
  extra:
    image: busybox
    command: {stay()}
    profiles: [more]
volumes: {{data: {{}}}}
"""


@pytest.mark.client(COMPOSE, "joins networks and volumes of a service, heeds profiles")
def test_joined(make_project):
    joined = make_project("joined", JOINED)
    joined("up", "-d")
    assert sorted(joined.states()) == ["main", "near"]
    joined("--profile", "more", "up", "-d")
    assert sorted(joined.states()) == ["extra", "main", "near"]
    both = ("sh", "-c", "cat /data/word; ip -o -4 address show eth0")
    seen = joined("exec", "-T", "main", *both)
    assert seen.startswith("kept")
    assert joined("exec", "-T", "near", *both) == seen
    joined("--profile", "more", "down", "-t", "0")
    assert joined.ids() == []


@pytest.mark.client(COMPOSE, "comes up in the foreground, and Ctrl-C stops what came up")
def test_foreground(make_project, tmp_path, wait_until):
    joined = make_project("joined", JOINED)
    log = tmp_path / "log"
    up = joined.start(log, "up")
    wait_until(lambda: log.read_text().count("| ready") == 2, "both to be up")
    up.send_signal(signal.SIGINT)
    up.wait(60)
    assert joined.states() == {"main": "exited", "near": "exited"}


TOOL = """
services:
  tool: {image: "$REGISTRY/tool:1", command: echo pulled}
  made: {build: app, image: "$REGISTRY/made:1"}
"""


@pytest.mark.client(COMPOSE, "pulls images, builds and pushes them")
def test_registry(make_project, registry):
    tool = make_project("tool", TOOL.replace("$REGISTRY", registry.address))
    tool("pull", "tool")
    assert tool("run", "--rm", "tool") == "pulled"
    tool("build", "made")
    tool("push", "made")
    with urllib.request.urlopen(f"http://{registry.address}/v2/made/tags/list") as answer:
        assert json.load(answer)["tags"] == ["1"]


APART = f"""
services:
  here: {{image: busybox, command: {stay()}, environment: ["constraint:node==old"]}}
  there:
    image: busybox
    command: {stay()}
    environment: ["constraint:node==new"]
    depends_on: [here]
networks: {{default: {{labels: ['com.docker.swarm.constraints=["node==old"]']}}}}
"""


@pytest.mark.client(COMPOSE, "brings up services that are to run apart, on one local network")
def test_apart(target, make_project, differs):
    apart = make_project("apart", APART)
    done = apart.run("up", "-d")
    if target.is_cluster:
        assert done.returncode != 0
        assert "network apart_default is only on old" in done.stderr
        assert "1 constraint node==new" in done.stderr
        differs("a local network is on one node; the refusal says which, and what asks for another")
    else:
        assert done.returncode == 0
        assert apart.states() == {"here": "running", "there": "running"}


@pytest.mark.client(COMPOSE, "brings up one project twice at once, and two projects at once")
def test_at_once(make_project, tmp_path):
    red, blue = (make_project(name, PAIR.replace("$COLOUR", name)) for name in ("red", "blue"))
    logs = [tmp_path / f"log{number}" for number in range(3)]
    begun = [each.start(log, "up", "-d") for log, each in zip(logs, (red, red, blue), strict=True)]
    ends = [each.wait(100) for each in begun]
    assert ends[2] == 0, logs[2].read_text()
    red("up", "-d")  # the slower of the two may have been told of names that are taken
    for each in (red, blue):
        assert each.states() == {"db": "running", "web": "running"}
        assert len(each.ids()) == 2
        assert "1 packets received" in each("exec", "-T", "web", "ping", "-c", "1", "db")
