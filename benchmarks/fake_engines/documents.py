"""The JSON of fake engines, as templates of bytes: one formatting renders a document."""

import json
import time
from collections.abc import Mapping
from typing import Any

from swarmcore.testing.documents.containers import (
    container_detail,
    container_state,
    container_summary,
    endpoint,
    full_config,
    full_host_config,
    network_settings,
)
from swarmcore.testing.documents.images import image_id, image_summary
from swarmcore.testing.documents.moments import NANO, timestamp
from swarmcore.testing.documents.networks import network_document
from swarmcore.testing.documents.system import info_document, version_document

IMAGE = "busybox:latest"
VERSION = "28.5.2"
MIN_API, MAX_API = "1.24", "1.51"

_CPUS = 64
_MEMORY = 1 << 40
_MADE = "2026-01-01T00:00:00Z"
_LABELS = {"com.example.team": "platform", "com.example.tier": "web", "org.example.revision": "1"}
#: The body of the creates of the initial containers.
INITIAL_BODY: Mapping[str, Any] = {
    "Image": IMAGE,
    "Cmd": ["sleep", "100000"],
    "Env": ["MODE=production", "LOG_LEVEL=info"],
    "Labels": _LABELS,
    "ExposedPorts": {"80/tcp": {}},
    "HostConfig": {"Memory": 64 << 20},
}


def dump(document: Any) -> bytes:
    """Encode as compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


class Template:
    """A JSON document with placeholders.

    Args:
        document: the document.  ``@name@`` in a string is a placeholder for text; a whole string
            ``@@name@@`` is a placeholder for JSON.
        holes: the names of both kinds of placeholders.
    """

    def __init__(self, document: Any, *holes: str) -> None:
        text = dump(document).replace(b"%", b"%%")
        for hole in holes:
            place = b"%%(%b)b" % hole.encode()
            text = text.replace(b'"@@%b@@"' % hole.encode(), place)
            text = text.replace(b"@%b@" % hole.encode(), place)
        self._text = text

    def render(self, values: Mapping[bytes, bytes]) -> bytes:
        """Return the document with *values* in its placeholders."""
        return self._text % values


class ContainerTemplates:
    """The two documents of a container; the parts that all containers share are encoded once.

    Args:
        network_id: the id of the engine's bridge network.
    """

    def __init__(self, network_id: str) -> None:
        bridge = {"bridge": endpoint(network_id, "@id@", "172.17.0.2", "172.17.0.1")}
        bindings = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "@port@"}]}
        detail = container_detail(
            id="@id@",
            name="@name@",
            created="@created@",
            image_id=image_id(IMAGE),
            config={"Image": IMAGE, "Cmd": ["sleep", "100000"], "Labels": "@@labels@@"},
            host_config={"NetworkMode": "bridge"},
            state=container_state(),
            settings=network_settings(bridge, {}, "@id@"),
        )
        summary = container_summary(detail, created=0, status="@status@")
        summary |= {"State": "@state@", "Created": "@@seconds@@", "Ports": "@@ports@@"}
        holes = ("id", "name", "created", "state", "status", "labels", "seconds", "ports")
        self._summary = Template(summary, *holes)
        settings = {**network_settings(bridge, {}, "@id@"), "Ports": "@@bindings@@"}
        parts = {"State": "@@state@@", "Config": "@@config@@", "HostConfig": "@@host@@"}
        self._detail = Template(
            {**detail, **parts, "NetworkSettings": settings},
            *("id", "name", "created", "state", "config", "host", "bindings"),
        )
        self._bindings = Template(bindings, "port")
        states = ("created", "running", "paused", "exited")
        self._states = {state: self._render_state(state) for state in states}

    @staticmethod
    def _render_state(state: str) -> bytes:
        pid = 4242 if state in ("running", "paused") else 0
        return dump(container_state(state, pid=pid, started=_MADE))

    def summary(self, box: "Box") -> bytes:
        """Return its object in ``GET /containers/json``."""
        ports = b"[]"
        if box.port:
            ports = b'[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":%d,"Type":"tcp"}]' % box.port
        status = b"Up About an hour" if box.state in ("running", "paused") else b"Created"
        return self._summary.render(
            {
                b"id": box.id,
                b"name": box.name,
                b"state": box.state.encode(),
                b"status": status,
                b"labels": box.labels,
                b"seconds": b"%d" % (box.created // NANO),
                b"ports": ports,
            }
        )

    def detail(self, box: "Box") -> bytes:
        """Return the document of ``GET /containers/{id}/json``."""
        bindings = b"{}"
        if box.port:
            bindings = self._bindings.render({b"port": b"%d" % box.port})
        config, host = box.configs()
        return self._detail.render(
            {
                b"id": box.id,
                b"name": box.name,
                b"created": timestamp(box.created).encode(),
                b"state": self._states[box.state],
                b"config": config,
                b"host": host,
                b"bindings": bindings,
            }
        )


class Box:
    """One container of a fake engine.

    Args:
        id: 64 hex digits.
        name: the name without slash.
        body: the parsed body of its create.
        port: the host port that it publishes; 0 for none.
        created: Unix nanoseconds.
        state: created, running, paused or exited.
    """

    __slots__ = ("_configs", "body", "created", "id", "labels", "name", "port", "state", "summary")

    #: ``Config`` and ``HostConfig`` of the initial containers, which share them.
    _initial: tuple[bytes, bytes] | None = None

    def __init__(
        self, id: bytes, name: bytes, body: Mapping[str, Any], port: int, created: int, state: str
    ) -> None:
        self.id = id
        self.name = name
        self.body = body
        self.port = port
        self.created = created
        self.state = state
        self.labels = dump(body.get("Labels") or {})
        self.summary = b""
        self._configs: tuple[bytes, bytes] | None = None

    def configs(self) -> tuple[bytes, bytes]:
        """Return ``Config`` and ``HostConfig``."""
        if self._configs is None:
            if self.body is not INITIAL_BODY:
                self._configs = self._render()
            else:
                if Box._initial is None:
                    Box._initial = self._render()
                self._configs = Box._initial
        return self._configs

    def _render(self) -> tuple[bytes, bytes]:
        config = full_config(self.body, self.id.decode(), {})
        return dump(config), dump(full_host_config(self.body))


class EngineDocuments:
    """The documents of an engine about itself and about objects that do not change.

    Args:
        name: the engine's host name.
        id: the engine's id.
        containers: the number of its containers.
    """

    def __init__(self, name: str, id: str, containers: int) -> None:
        self.network_id = (id.lower() * 4)[:64]
        self.version = dump(version_document(VERSION, MIN_API, MAX_API))
        self.images = dump([image_summary(image_id(IMAGE), [IMAGE])])
        self.volumes = b'{"Volumes":[],"Warnings":null}'
        self.network = dump(network_document(self.network_id, "bridge", created=_MADE))
        self.networks = b"[%b]" % self.network
        self._second, self._rendered = 0, b""
        self._info = info_document(
            id=id,
            name=name,
            cpus=_CPUS,
            memory=_MEMORY,
            labels={"storage": "ssd", "zone": "a"},
            version=VERSION,
            moment="",
            counts={"running": containers},
            images=1,
        )

    def info(self) -> bytes:
        """Return the document of ``GET /info``, with the current time."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._rendered = dump({**self._info, "SystemTime": timestamp(time.time_ns())})
        return self._rendered
