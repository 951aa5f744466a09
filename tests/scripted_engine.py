"""A Docker Engine in memory, for tests on trio's mock clock.

``ScriptedEngine`` replaces ``HTTPClient`` and the engine behind it, so that failures and times are
exact.  Tests with sockets check that the real client behaves like it.
"""

import json
import math
import re
from collections import defaultdict
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import trio

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer, error_answer, json_answer

LONG_AGO = "2020-01-01T00:00:00.5Z"


class ScriptedEngine:
    """One engine's state, its API, and ways to make it fail."""

    def __init__(self, name="n1", number=1, *, engine_id=""):
        self.name = name
        self.engine_id = engine_id or f"ID-{name}"
        self.address = f"192.0.2.{number}:2375"
        self.containers = {}
        self.images = {"busybox:latest"}
        self.networks = [{"Id": "net", "Name": "bridge"}]
        self.labels = []
        self.memory = 8 << 30
        self.api_version = "1.41"
        self.up = True
        self.thawed = trio.Event()
        self.thawed.set()
        self.asked = []
        self.subscriptions = []
        self.event_log = []
        self.clock = 1_600_000_000_000_000_000
        #: What to answer instead: (method, pattern of the path, answer or async callable).
        self.instead = []
        self.now = defaultdict(int)
        self.most = defaultdict(int)

    # ---- what a test does to it

    def freeze(self):
        """Hang, as after SIGSTOP."""
        self.thawed = trio.Event()

    def thaw(self):
        """Continue after ``freeze``."""
        self.thawed.set()

    def kill(self):
        """End the engine, and break every connection."""
        self.up = False
        self.cut_events()

    def start(self):
        """Start again with the same containers; past events are forgotten."""
        self.up = True
        self.event_log = []

    def cut_events(self):
        """Break the event streams."""
        for send in self.subscriptions:
            send.close()
        self.subscriptions = []

    def answer(self, method, pattern, answer):
        """Answer matching requests with *answer* from now on."""
        self.instead.insert(0, (method, re.compile(pattern), answer))

    def add(self, name, *, state="running", labels=None, quiet=False, **body):
        """Add a container; if *quiet*, without an event."""
        number = len(self.containers) + self.clock % 1000
        id = f"{abs(hash((self.name, name, number))):x}".rjust(64, "0")[-64:]
        config = {"Image": body.get("Image", "busybox"), "Labels": labels or {}}
        self.containers[id] = {
            "Id": id,
            "Name": f"/{name}",
            "Created": LONG_AGO,
            "Image": "sha256:busybox",
            "State": {"Status": state, "StartedAt": LONG_AGO},
            "Config": {**config, **{k: v for k, v in body.items() if k != "HostConfig"}},
            "HostConfig": body.get("HostConfig") or {},
            "NetworkSettings": {"Networks": {}},
        }
        self.say("create", id, quiet=quiet)
        return id

    def set_state(self, id, state, action="", *, quiet=False):
        """Change a container's state."""
        self.containers[id]["State"]["Status"] = state
        self.say(action or state, id, quiet=quiet)

    def remove(self, id, *, quiet=False):
        """Remove a container."""
        del self.containers[id]
        self.say("destroy", id, quiet=quiet)

    def say(self, action, id="", *, kind="container", quiet=False, **attributes):
        """Send an event."""
        self.clock += 1_000_000
        event = {
            "Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": attributes},
            "time": self.clock // 10**9, "timeNano": self.clock,
        }  # fmt: skip
        if not quiet:
            self.event_log = [*self.event_log, event][-256:]
            for send in self.subscriptions:
                send.send_nowait(json.dumps(event).encode())

    def paths(self, method="GET"):
        """Return the paths of all requests, without version and query."""
        asked = [target for verb, target in self.asked if verb == method]
        return [re.sub(r"^/v[0-9.]+", "", urlsplit(target).path) for target in asked]

    # ---- HTTPClient

    async def request(self, method, target, *, body=None, headers=(), permit=None):
        await self._reached()
        if permit is not None:
            permit()
        self.asked.append((method, target))
        parts = urlsplit(target)
        path, query = re.sub(r"^/v[0-9.]+", "", parts.path), parse_qs(parts.query)
        kind = re.sub("[0-9a-f]{64}", "ID", path)
        self.now[kind] += 1
        self.most[kind] = max(self.most[kind], self.now[kind])
        try:
            await trio.sleep(0.001)
            for verb, pattern, answer in self.instead:
                if verb == method and pattern.search(f"{path}?{parts.query}"):
                    answer = answer if isinstance(answer, Answer) else await answer()
                    if answer is not None:
                        return answer
            return self._answer(method, path, query, json.loads(body) if body else None)
        finally:
            self.now[kind] -= 1

    async def _reached(self):
        await trio.lowlevel.checkpoint()
        while not self.thawed.is_set():
            await self.thawed.wait()
        if not self.up:
            raise EngineUnreachable(self.name, f"Cannot connect to {self.address}", sent=False)

    @asynccontextmanager
    async def events(self, target):
        await self._reached()
        self.asked.append(("GET", target))
        since = float(parse_qs(urlsplit(target).query).get("since", ["inf"])[0])
        send, receive = trio.open_memory_channel(math.inf)
        for event in self.event_log:
            if event["timeNano"] >= since * 10**9 - 1000:
                send.send_nowait(json.dumps(event).encode())
        self.subscriptions.append(send)
        try:
            async with receive:
                yield receive
        finally:
            if send in self.subscriptions:
                self.subscriptions.remove(send)

    # ---- its API

    def _answer(self, method, path, query, body):
        match method, path.strip("/").split("/"):
            case "GET", ["_ping"]:
                return Answer(200, body=b"OK")
            case "GET", ["version"]:
                return json_answer({"Version": "20.10", "ApiVersion": self.api_version})
            case "GET", ["info"]:
                return json_answer({
                    "ID": self.engine_id, "Name": self.name, "NCPU": 4, "MemTotal": self.memory,
                    "Labels": self.labels,
                })  # fmt: skip
            case "GET", ["containers", "json"]:
                return json_answer(self._list(query))
            case "GET", ["containers", id, "json"] if id in self.containers:
                return json_answer(self.containers[id])
            case "GET", ["images", "json"]:
                return json_answer([{"Id": "sha256:" + tag, "RepoTags": [tag]}
                                    for tag in sorted(self.images)])  # fmt: skip
            case "GET", ["networks"]:
                return json_answer(self.networks)
            case "POST", ["networks", "create"]:
                id = f"{self.name}-{len(self.networks)}"
                self.networks = [*self.networks, {**body, "Id": id, "Scope": "local"}]
                return json_answer({"Id": id}, 201)
            case "GET", ["volumes"]:
                return json_answer({"Volumes": None})
            case "POST", ["containers", "create"]:
                return self._create(query["name"][0], body)
            case "POST", ["containers", id, "rename"] if id in self.containers:
                self.containers[id]["Name"] = f"/{query['name'][0]}"
                self.say("rename", id)
                return Answer(204)
            case "POST", ["containers", id, "start"] if id in self.containers:
                self.set_state(id, "running", "start")
                return Answer(204)
            case "POST", ["containers", id, "stop"] if id in self.containers:
                self.set_state(id, "exited", "die")
                return Answer(204)
            case "DELETE", ["containers", id] if id in self.containers:
                self.remove(id)
                return Answer(204)
            case _, ["containers", id, *_]:
                return error_answer(404, f"No such container: {id}")
        return error_answer(404, "page not found")

    def _list(self, query):
        filters = json.loads(query.get("filters", ["{}"])[0])
        ids, labels = filters.get("id", [""]), filters.get("label", [])
        return [
            {
                "Id": id, "Names": [detail["Name"]], "Image": detail["Config"]["Image"],
                "ImageID": detail["Image"], "Created": 1_577_836_800, "Ports": [],
                "State": detail["State"]["Status"], "Status": f"age {trio.current_time()}",
                "Labels": detail["Config"]["Labels"],
            }
            for id, detail in self.containers.items()
            if any(id.startswith(wanted) for wanted in ids)
            and all(tuple(label.split("=", 1)) in (detail["Config"]["Labels"] or {}).items()
                    for label in labels)
        ]  # fmt: skip

    def _create(self, name, body):
        image = body["Image"] if ":" in body["Image"] else f"{body['Image']}:latest"
        if image not in self.images:
            return error_answer(404, f"No such image: {image}")
        if any(detail["Name"] == f"/{name}" for detail in self.containers.values()):
            return error_answer(409, f'Conflict. The container name "/{name}" is already in use')
        labels = body.pop("Labels", None)
        id = self.add(name, state="created", labels=labels, **body)
        return json_answer({"Id": id, "Warnings": ["a warning"]}, 201)
