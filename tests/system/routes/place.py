"""An API under test, whose objects are created when the path of a request names them."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from tests.system.raw_requests import Reply, ask


class Place(Mapping[str, str]):
    """An API, with objects that are made when a path names them: ``{running}``.

    All containers are on one engine, the same engine in every place.
    """

    def __init__(self, name: str, address: str, node: str | None, registry: Any) -> None:
        self.name = name
        self.address = address
        self.registry = registry.address
        self._node = node
        self._count = 0
        self._web = ""

    @property
    def is_cluster(self) -> bool:
        return self._node is not None

    def close(self) -> None:
        """Remove every object that was made here and still exists."""
        containers = [row["Names"][0] for row in self.must("GET", "/containers/json?all=1")]
        networks = [row["Name"] for row in self.must("GET", "/networks")]
        volumes = [row["Name"] for row in self.must("GET", "/volumes")["Volumes"] or ()]
        images = [tag for row in self.must("GET", "/images/json") for tag in row["RepoTags"] or ()]
        mine = (f"{self.name}-", self.registry)
        for kind, names in [
            ("containers", [name.removeprefix("/") for name in containers]),
            ("networks", networks),
            ("volumes", volumes),
            ("images", images),
        ]:
            for name in names:
                if name.startswith(mine):
                    self.must("DELETE", f"/{kind}/{name}?force=1")

    def ask(self, method: str, path: str, *arguments: Any) -> Reply:
        return ask(self.address, method, f"/v1.41{path}", *arguments)

    @staticmethod
    def pack(**files: str) -> bytes:
        """Return a tar of *files*: name and text."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text.encode()))
        return packed.getvalue()

    def must(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that must succeed, and return the JSON."""
        reply = self.ask(method, path, body)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.body!r}"
        return reply.json if reply.body else None

    def __getitem__(self, key: str) -> str:
        """Return the name of an object of a kind: the lasting one for ``web``, else a new one."""
        if key in ("registry", "name"):
            return str(getattr(self, key))
        if key == "web":
            self._web = self._web or self["running"]
            return self._web
        return str(getattr(self, f"_make_{key}")())

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def _make_new(self) -> str:
        """Return a name that no object has."""
        self._count += 1
        return f"{self.name}-{self._count}"

    def _make_created(self, *command: str) -> str:
        name = self["new"]
        env = [f"constraint:node=={self._node}"] if self._node else []
        config = {"Image": "busybox", "Cmd": command or ["sleep", "1000"], "Env": env}
        config |= {"HostConfig": {"Init": True}}
        self.must("POST", f"/containers/create?name={name}", config)
        return name

    def _make_running(self) -> str:
        return self._start(self["created"])

    def _start(self, name: str) -> str:
        self.must("POST", f"/containers/{name}/start")
        return name

    def _make_paused(self) -> str:
        name = self["running"]
        for left in (2, 1, 0):  # on a busy machine, runc may find that it is "unable to freeze"
            reply = self.ask("POST", f"/containers/{name}/pause")
            if not (left and reply.status == 500 and b"unable to freeze" in reply.body):
                break
        assert reply.status == 204, reply.body
        return name

    def _make_ended(self) -> str:
        """Make a container that has printed ``hi`` and ended with status 0."""
        name = self._start(self._make_created("echo", "hi"))
        self.must("POST", f"/containers/{name}/wait")
        return name

    def _make_exec(self, *command: str) -> str:
        config = {"Cmd": command or ["echo", "hi"], "AttachStdout": True}
        return str(self.must("POST", f"/containers/{self['web']}/exec", config)["Id"])

    def _make_execing(self) -> str:
        """Make an exec that keeps running."""
        id = self._make_exec("sleep", "1000")
        assert self.ask("POST", f"/exec/{id}/start", {"Detach": True}).status == 200
        return id

    def _make_connected(self) -> str:
        """Make a network to which ``web`` is connected."""
        network = self["network"]
        self.must("POST", f"/networks/{network}/connect", {"Container": self["web"]})
        return network

    def _make_network(self) -> str:
        return self._make_object("networks")

    def _make_volume(self) -> str:
        return self._make_object("volumes")

    def _make_object(self, kind: str) -> str:
        """Make an object on the engine of the containers."""
        name = self["new"]
        self.must(
            "POST", f"/{kind}/create", {"Name": f"{self._node}/{name}" if self._node else name}
        )
        return name

    def _make_image(self) -> str:
        """Make a tag of busybox."""
        name = self["new"]
        self.must("POST", f"/images/busybox/tag?repo={name}&tag=1")
        return f"{name}:1"

    def _make_tool(self) -> str:
        """Pull an image from the registry."""
        name = f"{self.registry}/tool"
        assert b'"error' not in self.ask("POST", f"/images/create?fromImage={name}&tag=1").body
        return name
