"""A cluster in memory: engines that answer from a script, and an exchange that keeps its answer."""

import json
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from swarmcore.errors import EngineError, NoNodeFits, NotFound, Unavailable
from swarmcore.events import read_event
from swarmcore.http.messages import Answer, Client, Query, Request, json_answer
from swarmcore.model import Claim, Container, State
from swarmcore.node import Node
from swarmcore.protocols import NO_HOOKS, DiscoveryState, Placed
from swarmcore.versions import ApiVersion, split_version

#: What every test calls now: 2024-05-01T12:00:00Z.
NOW = 1714564800.0


def moment(seconds_ago: float) -> str:
    """A time before ``NOW`` as an engine writes it."""
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
    """A container whose documents have the shape of a real engine's."""
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


@dataclass
class FakeStream:
    status: int
    headers: tuple
    pieces: list

    async def __aiter__(self):
        for piece in self.pieces:
            await trio.lowlevel.checkpoint()
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, trio.Event):
                await piece.wait()
            else:
                yield piece


@dataclass
class FakeEngine:
    """Answers ``call`` and ``open`` from ``answers``: path without query -> answer or pieces, an
    error to raise, or an event to wait for.
    """

    node: Node
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def _answer(self, method, path, headers):
        self.asked.append((method, path, headers))
        answer = self.answers[path.partition("?")[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def call(self, method, path, *, body=None, headers=(), version=None):
        await trio.lowlevel.checkpoint()
        answer = self._answer(method, path, headers)
        if isinstance(answer, trio.Event):
            await answer.wait()
        return answer

    @asynccontextmanager
    async def open(self, method, path, *, body=None, headers=(), version=None):
        await trio.lowlevel.checkpoint()
        answer = self._answer(method, path, headers)
        if isinstance(answer, Answer):
            answer = (answer.status, [answer.body])
        yield FakeStream(answer[0], (), answer[1])

    def settling(self, id, *verbs):
        async def settle(status):
            self.refreshed.append(id)

        return settle

    async def refresh_container(self, id):
        self.refreshed.append(id)

    async def refresh_containers(self):
        self.refreshed.append("containers")

    async def refresh_images(self):
        self.refreshed.append("images")

    async def refresh_networks(self):
        self.refreshed.append("networks")

    async def refresh_volumes(self):
        self.refreshed.append("volumes")

    def put_network(self, document):
        self.node.networks = {**self.node.networks, document["Id"]: document}

    def forget_network(self, id):
        self.forgotten.append(id)

    def put_volume(self, document):
        self.node.volumes = {**self.node.volumes, document["Name"]: document}

    def forget_volume(self, name):
        self.forgotten.append(name)

    def forget_container(self, id):
        self.forgotten.append(id)


class FakeBus:
    """The events of a script, then silence until the test is over."""

    def __init__(self, events, *, ends):
        self._events, self._ends = events, ends

    async def __aiter__(self):
        for event in self._events:
            await trio.lowlevel.checkpoint()
            yield event
        if not self._ends:
            await trio.sleep_forever()


class FakeImageNames:
    """What image names mean is nobody's to know; writes down what it is told."""

    def __init__(self):
        self.told = []

    def naming(self):
        return self

    def named(self, name, node):
        self.told.append((name, node.name))

    def ids(self, name):
        return frozenset()

    def copying(self, name, source, target):
        return nullcontext()

    def setting_aside(self, node, names):
        return nullcontext()


class FakeCluster:
    """Engines, and what else a handler reads."""

    id, name = "CLUSTER", "manager"
    strategy_name, filter_names = "spread", ("health", "port")
    is_primary, primary = True, ""
    discovery = DiscoveryState()
    experimental, listeners, api_version = False, 0, ApiVersion(1, 41)
    min_api_version = ApiVersion(1, 24)

    def __init__(self, *engines):
        self._engines = list(engines)
        self.events, self.events_end = [], True
        self.created, self.renamed, self.turns = [], [], []
        self.queue = []
        self.image_names = FakeImageNames()
        self.answer = json_answer({"Id": "new", "Warnings": []}, 201)

    def nodes(self):
        return [engine.node for engine in self._engines]

    def waiting(self):
        return self.queue

    def engines(self):
        return [engine for engine in self._engines if engine.node.state is not State.PENDING]

    def healthy_engines(self):
        found = [engine for engine in self._engines if engine.node.health]
        if not found:
            raise Unavailable("no healthy engine")
        return found

    def engine(self, node_id):
        for engine in self._engines:
            if engine.node.id == node_id:
                return engine
        raise NotFound(f"no node {node_id}")

    def containers(self):
        return [container for node in self.nodes() for container in node.containers.values()]

    def find_container(self, text):
        for container in self.containers():
            if text in (container.id, *container.names):
                return container
        raise NotFound(f"No such container: {text}")

    def engine_of(self, container):
        for engine in self._engines:
            if container.id in engine.node.containers:
                if not engine.node.health:
                    raise Unavailable(f"{engine.node.name} does not answer")
                return engine
        raise AssertionError(container)

    @asynccontextmanager
    async def turn(self, engine):
        self.turns.append(engine)
        yield

    def bringing(self, networks, engine):
        return nullcontext()

    async def create_container(self, config, request, carry=None):
        self.created.append(config)
        return Placed(self.answer, self._engines[0].node)

    async def rename_container(self, container, name, request):
        self.renamed.append((container.name, name))
        return Answer(204)

    def choose(self, config, engines=None):
        wanted = [text.removeprefix("node==") for text in config.constraints]
        for engine in self.engines() if engines is None else engines:
            if engine.node.health and wanted in ([], [engine.node.name]):
                return engine
        raise NoNodeFits(f"no node fits constraint node=={wanted}")

    def growing(self, container, claim):
        self.grown = (container, claim)
        return nullcontext()

    def expecting(self, config, engine, linger=0):
        return nullcontext()

    def note_pull(self, image, client, engine, error=None):
        pass

    def pull_failed(self, image, client):
        self.failed_pulls = [*getattr(self, "failed_pulls", ()), image]

    def pull_targets(self, image, client):
        self.pulled = image
        return self.healthy_engines()

    @asynccontextmanager
    async def follow_events(self):
        yield FakeBus(self.events, ends=self.events_end)


class FakeExchange:
    """Keeps what was answered; ``relayed`` is the engine and path of a relay."""

    def __init__(self, cluster, method, target, *, params=None, body=None, headers=()):
        version, path = split_version(target.partition("?")[0])
        query = Query.parse(target.partition("?")[2])
        client = Client("127.0.0.1")
        self.request = Request(method, target, path, query, version, headers, client, params or {})
        self.cluster = cluster
        self._body = body
        self.relayed, self.uploaded, self.sent = None, [], b""
        self.relaying, self.hold = trio.Event(), None
        self.engine_answer = Answer(204)
        self.status, self.headers, self.body, self.chunks = 0, (), b"", []

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(chunk) for chunk in self.chunks]

    async def read_json(self):
        return self._body

    async def receive_chunk(self):
        return self.uploaded.pop(0) if self.uploaded else b""

    async def read_body(self):
        return json.dumps(self._body).encode()

    async def send(self, answer):
        assert not self.status, "answered twice"
        self.status, self.headers, self.body = answer.status, answer.headers, answer.body

    async def send_json(self, value, status=200):
        await self.send(json_answer(value, status))

    @asynccontextmanager
    async def stream(self, status=200, headers=()):
        assert not self.status, "answered twice"
        self.status, self.headers = status, headers

        async def send(data):
            await trio.lowlevel.checkpoint()
            self.chunks.append(data)

        yield send

    @asynccontextmanager
    async def watching(self):
        with trio.CancelScope() as self.watched:
            yield

    async def relay(
        self,
        engine,
        path,
        *,
        body=None,
        hooks=NO_HOOKS,
        pieces=None,
    ):
        self.relayed = (engine, path)
        if pieces is not None:
            while data := await pieces():
                self.sent += data
        self.relaying.set()
        if self.hold is not None:
            await self.hold.wait()
        answer = self.engine_answer
        if isinstance(answer, Exception):
            raise answer
        if hooks.on_status:
            await hooks.on_status(answer.status)
        if hooks.map_response and answer.ok:
            answer = hooks.map_response(answer)
        await self.send(answer)
        return answer.status


def event_line(action="start", kind="container", time_nano=1, id="c1", **attributes):
    """One line of an engine's ``GET /events``."""
    actor = {"ID": id, "Attributes": attributes}
    raw = {"Type": kind, "Action": action, "Actor": actor, "scope": "local"}
    return json.dumps({**raw, "time": time_nano // 10**9, "timeNano": time_nano}).encode()


def make_event(*arguments, node=None, **attributes):
    return read_event(event_line(*arguments, **attributes), node or make_node())


class Docker:
    """What tests use of all this, by one fixture: plugin folders share no importable module."""

    now = NOW
    moment = staticmethod(moment)
    node = staticmethod(make_node)
    container = staticmethod(make_container)
    event = staticmethod(make_event)
    event_line = staticmethod(event_line)
    Engine, Cluster, Exchange = FakeEngine, FakeCluster, FakeExchange
    Failure = EngineError


@pytest.fixture(scope="session")
def docker():
    return Docker
