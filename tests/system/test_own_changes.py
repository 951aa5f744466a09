"""Read your writes: a client's next read shows the change that it made through the manager.

After every change, all lists of the node and its disk usage are read at once, and must equal those
of the engine itself.
"""

import http.client
import json
import urllib.parse

import pytest

from tests.system.neighbours import neighbours
from tests.system.tars import tar_of
from tests.system.waiting import wait_until

#: How often a change is made: what lags, lags by milliseconds and not each time.
TIMES = 2
DOCKERFILE = b"FROM busybox\nRUN echo one > /one\nRUN echo two > /two\n"


class Client:
    """Sends requests to one address on one connection, without a pause between two requests."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address, timeout=60)

    def __call__(self, method, path, body=None, *, raw=False, **options):
        """Send a request that must succeed; return the answer, decoded from JSON unless *raw*."""
        self.begin(method, path, body, **options)
        content = self.end()
        is_document = content[:1] in (b"{", b"[") and content.count(b"\n") < 2
        return content if raw else json.loads(content) if is_document else None

    def begin(self, method, path, body=None, *, kind="application/json", version="1.41"):
        """Send a request, and read the beginning of the answer."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": kind} if body is not None else {}
        self._connection.request(method, f"/v{version}{path}", body, headers)
        self._answer = self._connection.getresponse()

    def end(self):
        """Read the rest of the answer."""
        content = self._answer.read()
        assert self._answer.status < 400, content
        return content

    def close(self):
        self._connection.close()


def query(**filters):
    return urllib.parse.quote(json.dumps(filters))


def containers(documents):
    return {
        each["Id"]: (
            each["State"], sorted(each["Names"]), each["Image"],
            sorted(each["NetworkSettings"]["Networks"]),
            sorted(mount.get("Name", "") for mount in each["Mounts"]),
        )
        for each in documents
    }  # fmt: skip


def images(documents):
    tags = {each["Id"]: each["RepoTags"] or [] for each in documents}
    return {id: sorted(tag for tag in named if "<none>" not in tag) for id, named in tags.items()}


class World:
    """One node, through the manager and directly."""

    def __init__(self, fleet, name):
        self.name = name
        self.address = f"127.0.0.1:{fleet.manager.port}"
        self.ask = Client(self.address)
        self._engines = [Client(engine.address) for engine in fleet.engines.values()]
        self.direct = self._engines[list(fleet.engines).index(name)]
        #: Environment that has a create go to the node.
        self.there = [f"constraint:node=={name}"]

    def shown(self):
        """Return the manager's lists of the node."""
        of_node = query(node=[self.name])
        return self._lists(self.ask, of_node)

    def held(self):
        """Return the engine's lists."""
        return self._lists(self.direct, query())

    def _lists(self, ask, filters):
        networks = ask("GET", f"/networks?filters={filters}")
        volumes = ask("GET", f"/volumes?filters={filters}")["Volumes"] or []
        return {
            "containers": containers(ask("GET", f"/containers/json?all=1&filters={filters}")),
            "images": images(ask("GET", f"/images/json?filters={filters}")),
            "networks": sorted(each["Name"].rpartition("/")[2] for each in networks),
            "volumes": sorted(each["Name"].rpartition("/")[2] for each in volumes),
        }

    def create(self, name="own", *, version="1.41", **config):
        body = {"Image": "busybox", "Cmd": ["sleep", "600"], "Env": self.there, **config}
        path = f"/containers/create?name={name}"
        return self.ask("POST", path, body, version=version)["Id"]

    def run(self, name="own", **config):
        id = self.create(name, **config)
        self.ask("POST", f"/containers/{id}/start")
        return id

    def network(self, name="own"):
        return self.ask("POST", "/networks/create", {"Name": f"{self.name}/{name}"})["Id"]

    def volume(self, name="own"):
        return self.ask("POST", "/volumes/create", {"Name": f"{self.name}/{name}"})["Name"]

    def image(self, tag="own:1"):
        self.create("for-image")
        repo, _, version = tag.partition(":")
        self.ask("POST", f"/commit?container=for-image&repo={repo}&tag={version}", {})
        self.ask("DELETE", "/containers/for-image")

    def clear(self):
        """Remove everything that a change may have made, and images of other tests."""
        for id in self.shown()["containers"]:
            self.delete(f"/containers/{id}?force=1&v=1")
        shown = self.shown()
        for name in shown["volumes"]:
            self.delete(f"/volumes/{self.name}/{name}")
        for name in set(shown["networks"]) - {"bridge", "host", "none"}:
            self.delete(f"/networks/{self.name}/{name}")
        for engine in self._engines:  # what was loaded or imported is on all of them
            for each in engine("GET", "/images/json"):
                for tag in set(each["RepoTags"] or ()) - {"busybox:latest", "<none>:<none>"}:
                    engine("DELETE", f"/images/{tag}?force=1")
            engine("POST", "/images/prune")
        wait_until(lambda: len(self.ask("GET", "/images/json")) == 1, "busybox to be alone")

    def close(self):
        self.ask.close()
        for engine in self._engines:
            engine.close()

    def post(self, path, body=None, **options):
        return self.ask("POST", path, body, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)


TAR = "application/x-tar"


def build(world, options="&rm=1"):
    arguments = urllib.parse.quote(json.dumps({"constraint:node": f"={world.name}"}))
    context = tar_of("Dockerfile", DOCKERFILE)
    path = f"/build?t=own:built&nocache=1&buildargs={arguments}{options}"
    world.ask("POST", path, context, kind=TAR)


def save(world):
    """Save an image as an archive, and remove it."""
    world.image("own:saved")
    world.archive = world.direct("GET", "/images/own:saved/get", raw=True)
    world.delete("/images/own:saved")


def run_to_removal(world):
    """Act like ``docker run --rm``: wait for the removal from before the start."""
    waiting = Client(world.address)
    waiting.begin("POST", "/containers/own/wait?condition=removed")
    world.post("/containers/own/start")
    waiting.end()
    waiting.close()


#: What is changed -> what there is before, and the change.
CHANGES = {
    "create": (lambda w: None, lambda w: w.create()),
    "create with volumes": (
        lambda w: None,
        lambda w: w.create(Volumes={"/x": {}}, HostConfig={"Binds": ["named:/y"]}),
    ),
    "create on networks": (
        lambda w: (w.network("a"), w.network("b")),
        lambda w: w.create(version="1.44",
            HostConfig={"NetworkMode": "a"},
            NetworkingConfig={"EndpointsConfig": {"a": {}, "b": {}}},
        ),
    ),
    "create with a link": (
        lambda w: w.run("linked"),
        lambda w: w.create(HostConfig={"Links": ["linked:alias"]}),
    ),
    "start": (lambda w: w.create(), lambda w: w.post("/containers/own/start")),
    "stop": (lambda w: w.run(), lambda w: w.post("/containers/own/stop?t=0")),
    "stop what is stopped": (lambda w: w.create(), lambda w: w.post("/containers/own/stop?t=0")),
    "restart": (lambda w: w.run(), lambda w: w.post("/containers/own/restart?t=0")),
    "kill": (lambda w: w.run(), lambda w: w.post("/containers/own/kill")),
    "signal": (lambda w: w.run(), lambda w: w.post("/containers/own/kill?signal=USR1")),
    "pause": (lambda w: w.run(), lambda w: w.post("/containers/own/pause")),
    "unpause": (
        lambda w: (w.run(), w.post("/containers/own/pause")),
        lambda w: w.post("/containers/own/unpause"),
    ),
    "rename": (lambda w: w.run(), lambda w: w.post("/containers/own/rename?name=other")),
    "update": (
        lambda w: w.run(),
        lambda w: w.post("/containers/own/update", {"Memory": 1 << 26, "MemorySwap": -1}),
    ),
    "wait": (lambda w: w.run(Cmd=["true"]), lambda w: w.post("/containers/own/wait")),
    "wait for its removal": (
        lambda w: w.create(Cmd=["true"], Volumes={"/x": {}}, HostConfig={"AutoRemove": True}),
        run_to_removal,
    ),
    "rm": (lambda w: w.create(), lambda w: w.delete("/containers/own")),
    "rm -f": (lambda w: w.run(), lambda w: w.delete("/containers/own?force=1")),
    "rm -v": (
        lambda w: w.create(Volumes={"/x": {}}), lambda w: w.delete("/containers/own?v=1"),
    ),
    "rm -fv of a name": (
        lambda w: w.run(Volumes={"/x": {}}, HostConfig={"Binds": ["named:/y"]}),
        lambda w: w.delete("/containers/own?force=1&v=1"),
    ),
    "rm of what links": (
        lambda w: (w.run("linked"), w.create(HostConfig={"Links": ["linked:alias"]})),
        lambda w: w.delete("/containers/own"),
    ),
    "prune containers": (
        lambda w: (w.create(), w.create("other")),
        lambda w: w.post(f"/containers/prune?filters={query(node=[w.name])}"),
    ),
    "exec": (
        lambda w: w.run(),
        lambda w: w.post("/containers/own/exec", {"Cmd": ["true"]}),
    ),
    "network create": (lambda w: None, lambda w: w.network()),
    "network connect, running": (
        lambda w: (w.network(), w.run()),
        lambda w: w.post("/networks/own/connect", {"Container": "own"}),
    ),
    "network connect, created": (
        lambda w: (w.network(), w.create()),
        lambda w: w.post("/networks/own/connect", {"Container": "own"}),
    ),
    "network disconnect": (
        lambda w: (w.network(), w.run(), w.post("/networks/own/connect", {"Container": "own"})),
        lambda w: w.post("/networks/own/disconnect", {"Container": "own"}),
    ),
    "network rm": (lambda w: w.network(), lambda w: w.delete("/networks/own")),
    "network rm and create": (
        lambda w: w.network(), lambda w: (w.delete("/networks/own"), w.network()),
    ),
    "prune networks": (
        lambda w: (w.network(), w.network("other")),
        lambda w: w.post(f"/networks/prune?filters={query(node=[w.name])}"),
    ),
    "volume create": (lambda w: None, lambda w: w.volume()),
    "volume create, again": (lambda w: w.volume(), lambda w: w.volume()),
    "volume rm": (lambda w: w.volume(), lambda w: w.delete("/volumes/own")),
    "volume rm and create": (
        lambda w: w.volume(), lambda w: (w.delete("/volumes/own"), w.volume()),
    ),
    "prune volumes": (
        lambda w: (w.volume(), w.volume("other")),
        lambda w: w.post(f"/volumes/prune?filters={query(node=[w.name], all=['true'])}"),
    ),
    "commit": (lambda w: w.create(), lambda w: w.post("/commit?container=own&repo=own&tag=1", {})),
    "tag": (lambda w: w.image(), lambda w: w.post("/images/own:1/tag?repo=own&tag=2")),
    "rmi": (lambda w: w.image(), lambda w: w.delete("/images/own:1")),
    "untag": (
        lambda w: (w.image(), w.post("/images/own:1/tag?repo=own&tag=2")),
        lambda w: w.delete("/images/own:1"),
    ),
    "build": (lambda w: None, build),
    "build that keeps its steps": (lambda w: None, lambda w: build(w, "&rm=0")),
    "load": (
        save,
        lambda w: w.post("/images/load?quiet=1", w.archive, kind=TAR),
    ),
    "import": (
        lambda w: None,
        lambda w: w.post("/images/create?fromSrc=-&repo=own&tag=imported",
                         tar_of("file", b"content"), kind=TAR),
    ),
    "prune images": (
        lambda w: (w.image(), w.image()),  # the first has no name any more
        lambda w: w.post(f"/images/prune?filters={query(node=[w.name])}"),
    ),
}  # fmt: skip


@pytest.fixture(params=["old", "middle", "new"], scope="module")
def world(shared_fleet, request):
    world = World(shared_fleet, request.param)
    yield world
    world.close()


@pytest.fixture
def clean(world):
    """Check that nothing of a change remains after it."""
    yield
    world.clear()


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_in_the_next_lists(world, clean, change):
    prepare, perform = CHANGES[change]
    for _ in range(TIMES):
        prepare(world)
        perform(world)
        assert world.shown() == world.held()
        world.clear()


def test_a_pulled_image_is_in_the_next_lists(world, clean, lab, shared_fleet):
    registry = lab.registry()
    registry.push(shared_fleet.engines[world.name], "busybox:latest", "own:pulled")
    for _ in range(TIMES):
        world.post(f"/images/create?fromImage={registry.address}/own&tag=pulled")
        assert world.shown()["images"] == world.held()["images"]
        world.delete(f"/images/{registry.address}/own:pulled")
        assert world.shown()["images"] == world.held()["images"]


def test_ones_own_changes_are_seen_while_others_work(world, clean, shared_fleet):
    def names():
        return {name for each in world.shown()["containers"].values() for name in each[1]}

    with neighbours(shared_fleet.manager.port) as working:
        for _ in range(3):
            id = world.create(Volumes={"/x": {}})
            (volume,) = world.shown()["containers"][id][4]
            assert volume in world.shown()["volumes"]
            world.post("/containers/own/rename?name=other")
            assert "/other" in names()
            world.network("mine")
            assert "mine" in world.shown()["networks"]
            world.delete("/networks/mine")
            assert "mine" not in world.shown()["networks"]
            world.delete("/containers/other?v=1")
            assert "/other" not in names()
            assert volume not in world.shown()["volumes"]
    assert [failure for each in working for failure in each.failures] == []
