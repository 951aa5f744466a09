"""Nodes, containers and events with documents like a real engine's, and the kit's doubles."""

import json
from datetime import UTC, datetime

import pytest

from swarmcore.errors import EngineError
from swarmcore.events import read_event
from swarmcore.model import Claim, Container, State
from swarmcore.node import Node
from swarmcore.testing.doubles import FakeCluster, FakeExchange, ScriptedEngine
from swarmcore.versions import ApiVersion

#: What every test calls now: 2024-05-01T12:00:00Z.
NOW = 1714564800.0


def moment(seconds_ago: float) -> str:
    """Return the time *seconds* before ``NOW``, as an engine writes it."""
    return datetime.fromtimestamp(NOW - seconds_ago, UTC).isoformat().replace("+00:00", "Z")


def make_node(name="n1", ip="10.0.0.1", *containers, **changes) -> Node:
    node = Node(f"ENGINE-{name}|{ip}:2375", f"{ip}:2375")
    node.name, node.ip, node.state = name, ip, State.HEALTHY
    node.version, node.api_version = "20.10.24", ApiVersion(1, 41)
    node.cpus, node.memory, node.updated_at = 4, 2**31, NOW
    for key, value in changes.items():
        setattr(node, key, value)
    for container in containers:
        node.put_container(container)
    return node


def make_container(name="web", *, id=None, node_id="", state="running", detail=None, **changes):
    """Return a container with documents like a real engine's."""
    id = id or (name.encode().hex() + "f" * 64)[:64]
    running = state in ("running", "paused", "restarting")
    document = {
        "Id": id,
        "Name": f"/{name}",
        "Platform": "linux",
        "State": {
            "Status": state,
            "Running": running,
            "Paused": state == "paused",
            "Restarting": state == "restarting",
            "Dead": state == "dead",
            "ExitCode": 0,
            "StartedAt": "0001-01-01T00:00:00Z" if state == "created" else moment(180),
            "FinishedAt": moment(60) if state == "exited" else "0001-01-01T00:00:00Z",
        },
        "Mounts": [],
        "HostConfig": {"Isolation": ""},
        "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "b" * 64}}},
    }
    document = {**document, **(detail or {})}
    labels = changes.pop("labels", {})
    summary = {
        "Id": id,
        "Names": [f"/{name}"],
        "Image": "busybox",
        "ImageID": "sha256:" + "1" * 64,
        "Command": "sleep 600",
        "Created": int(NOW - 200),
        "Ports": changes.pop("ports", []),
        "Labels": labels,
        "State": state,
        "Status": "stale",
        "NewField": {"kept": True},
    }
    fields = {
        "id": id, "node_id": node_id, "names": (name,), "image": "busybox",
        "image_id": "sha256:" + "1" * 64, "created": NOW - 200, "state": state, "labels": labels,
        "claim": Claim(), "summary": summary, "detail": document,
    }  # fmt: skip
    return Container(**{**fields, **changes})


def event_line(action="start", kind="container", time_nano=1, id="c1", **attributes):
    """Return one line of an engine's ``GET /events``."""
    actor = {"ID": id, "Attributes": attributes}
    raw = {"Type": kind, "Action": action, "Actor": actor, "scope": "local"}
    return json.dumps({**raw, "time": time_nano // 10**9, "timeNano": time_nano}).encode()


def make_event(*arguments, node=None, **attributes):
    return read_event(event_line(*arguments, **attributes), node or make_node())


class Docker:
    """The helpers of this folder as one fixture, because plugin folders share no module."""

    now = NOW
    moment = staticmethod(moment)
    node = staticmethod(make_node)
    container = staticmethod(make_container)
    event = staticmethod(make_event)
    event_line = staticmethod(event_line)
    Engine, Cluster, Exchange = ScriptedEngine, FakeCluster, FakeExchange
    Failure = EngineError


@pytest.fixture(scope="session")
def docker():
    return Docker


@pytest.fixture
def engines(docker):
    """Two engines: ``web`` runs on n1, ``db`` has exited on n2."""
    return [
        docker.Engine(docker.node("n1", "10.0.0.1", docker.container("web"))),
        docker.Engine(docker.node("n2", "10.0.0.2", docker.container("db", state="exited"))),
    ]


@pytest.fixture
def cluster(docker, engines):
    return docker.Cluster(*engines)


@pytest.fixture
def ask(docker, cluster):
    """Let a handler answer one request; return the exchange."""

    async def ask(handler, method="GET", target="/v1.41/", **kwargs):
        exchange = docker.Exchange(cluster, method, target, **kwargs)
        await handler(exchange)
        return exchange

    return ask


@pytest.fixture
def engine(docker):
    """Make an engine with a name, images (id -> names) and an API version."""

    def engine(name, tags, version=(1, 41), **changes):
        images = {id: {"Id": id, "RepoTags": names} for id, names in tags.items()}
        node = docker.node(name, images=images, api_version=ApiVersion(*version), **changes)
        return docker.Engine(node)

    return engine
