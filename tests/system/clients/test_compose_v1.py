"""``docker-compose`` 1.29, the first generation: a project from up to down."""

import signal
from pathlib import Path

import pytest
from swarmcore_lab.cli import Cli
from swarmcore_lab.engine_api import EngineApi

from tests.system.clients.composing import Project, left_of, stay
from tests.system.docker import Docker

COMPOSE = "docker-compose"
PROGRAM = Path("/usr/bin/docker-compose")

SHOP = f"""
version: "2.4"
services:
  db:
    image: busybox
    command: {stay("touch /data/ready; echo up")}
    volumes: [data:/data]
    networks: [back]
    healthcheck: {{test: [CMD, test, -e, /data/ready], interval: 0.2s, retries: 100}}
  web:
    build: {{context: app, args: {{WORD: hello}}}}
    environment: {{COLOUR: green}}
    networks: [front, back]
    ports: ["80"]
    depends_on: {{db: {{condition: service_healthy}}}}
  near:
    image: busybox
    command: {stay("echo near")}
    network_mode: service:web
    volumes_from: [db]
networks: {{front: {{}}, back: {{internal: true}}}}
volumes: {{data: {{}}}}
"""


@pytest.fixture
def shop(target, versions, tmp_path):
    """A project that is not started yet."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    docker = Docker(Cli(PROGRAM, environment), target.host)
    versions[COMPOSE] = docker("version", "--short")
    api = EngineApi(target.name, Path(target.socket.removeprefix("unix://")))
    shop = Project("shop", docker, (), tmp_path, api)
    shop.write(SHOP)
    return shop


@pytest.mark.client(COMPOSE, "builds, brings up, leaves alone and takes down a whole project")
@pytest.mark.client(COMPOSE, "scales a service up and down")
def test_project(shop, shared_fleet):
    shop("up", "-d")
    assert shop.states() == {"db": "running", "web": "running", "near": "running"}
    seen = shop("exec", "-T", "web", "sh", "-c", "cat /etc/word; ping -c 1 db; echo $COLOUR")
    assert (seen.split()[0], seen.split()[-1]) == ("hello", "green")
    ids = shop.ids()
    shop("up", "-d")
    assert shop.ids() == ids
    shop("up", "-d", "--scale", "web=2", "--no-deps", "web")
    assert len(shop.ids("web")) == 2
    shop("up", "-d", "--scale", "web=1")
    assert shop.ids() == ids
    shop("down", "-v", "-t", "0")
    left = {name: left_of("shop", each.api) for name, each in shared_fleet.engines.items()}
    assert left == {"old": [], "middle": [], "new": []}


@pytest.mark.client(COMPOSE, "runs commands, restarts, stops, starts, shows ports and processes")
@pytest.mark.client(COMPOSE, "comes up in the foreground, and Ctrl-C stops what came up")
def test_life(shop, tmp_path, wait_until):
    log = tmp_path / "log"
    up = shop.start(log, "up", "--no-color")
    wait_until(lambda: "| near" in log.read_text(), "the services to be up")
    web = shop.inspect("web")
    assert shop("run", "--rm", "--no-deps", "-T", "web", "cat", "/etc/word") == "hello"

    def times_up():
        return shop("logs", "--no-color", "db").count("| up")

    shop("restart", "-t", "5", "db")
    wait_until(lambda: times_up() == 2, "db to be up again")
    assert shop.inspect("web")["State"]["StartedAt"] == web["State"]["StartedAt"]
    assert shop("port", "web", "80").rpartition(":")[2].isdecimal()
    assert "httpd" in shop("top", "web")
    up.send_signal(signal.SIGINT)
    up.wait(60)
    assert shop.states() == {"db": "exited", "web": "exited", "near": "exited"}
    shop("start")
    assert shop.states() == {"db": "running", "web": "running", "near": "running"}
    wait_until(lambda: times_up() == 3, "db to be up a third time")
