"""One fake engine: its containers, its events, and the answer to each route."""

import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable

from benchmarks.fake_engines import bodies
from benchmarks.fake_engines.bodies import Pour
from benchmarks.fake_engines.connection import Connection
from benchmarks.fake_engines.documents import (
    INITIAL_BODY,
    Box,
    ContainerTemplates,
    EngineDocuments,
    dump,
)
from benchmarks.fake_engines.wire import Head, answer, hijacked_head, stream_head

_MULTIPLEXED = b"application/vnd.docker.multiplexed-stream"
_FIRST_PORT = 20_000
#: Routes whose bodies may be large, and the body of their answer.
_SINKS = {
    "POST /images/load": b'{"stream":"Loaded image: busybox:latest\\n"}\r\n',
    "POST /build": b'{"stream":"Successfully built 0123456789ab\\n"}\r\n',
    "PUT /containers/*/archive": b"",
}
_PATH_STAT = (
    b"X-Docker-Container-Path-Stat: eyJuYW1lIjoiYmxvYiIsInNpemUiOjAsIm1vZGUiOjQyMCwibXRpbWUiOiIy"
    b"MDI2LTAxLTAxVDAwOjAwOjAwWiIsImxpbmtUYXJnZXQiOiIifQ==\r\n"
)
_PING = answer(200, b"OK", b"text/plain; charset=utf-8")

Handler = Callable[["FakeEngine", Head, bytes, Connection], bytes | None]


class FakeEngine:
    """One engine.

    Args:
        number: distinguishes engines; the same number gives the same names and ids each time.
        containers: the number of containers that run on it from the start.
    """

    def __init__(self, number: int, containers: int) -> None:
        self.number = number
        id = hashlib.sha256(b"engine %d" % number).hexdigest().upper()[:48]
        self.documents = EngineDocuments(f"engine-{number}", id, containers)
        self.templates = ContainerTemplates(self.documents.network_id)
        self.boxes: dict[bytes, Box] = {}
        self.names: dict[bytes, Box] = {}
        self.execs: dict[str, int] = {}
        self._followers: set[Connection] = set()
        self._list: bytes | None = None
        self._last_nano = 0
        self._ids = itertools.count()
        began = time.time_ns() - 3600 * 10**9
        for count in range(containers):
            id_ = hashlib.sha256(b"box %d %d" % (number, count)).hexdigest().encode()
            name, port = b"box-%d-%d" % (number, count), _FIRST_PORT + count
            self.add(Box(id_, name, INITIAL_BODY, port, began + count * 10**9, "running"))

    # ---- containers

    def new_id(self) -> bytes:
        """Return 64 new hex digits."""
        text = b"%d %d %d" % (self.number, next(self._ids), os.getpid())
        return hashlib.sha256(text).hexdigest().encode()

    def find(self, name: str) -> Box | None:
        """Return the container of an id or name."""
        key = name.encode()
        return self.boxes.get(key) or self.names.get(key)

    def add(self, box: Box) -> None:
        """Add a container."""
        self.boxes[box.id] = self.names[box.name] = box
        self._list = None

    def drop(self, box: Box) -> None:
        """Remove a container."""
        del self.boxes[box.id], self.names[box.name]
        self._list = None

    def set_state(self, box: Box, state: str) -> None:
        """Change the state of a container."""
        box.state, box.summary = state, b""
        self._list = None

    def summary(self, box: Box) -> bytes:
        """Return a container's object in the list."""
        if not box.summary:
            box.summary = self.templates.summary(box)
        return box.summary

    def list_all(self) -> bytes:
        """Return the list of all containers, newest first."""
        if self._list is None:
            rows = map(self.summary, reversed(self.boxes.values()))
            self._list = b"[%b]" % b",".join(rows)
        return self._list

    # ---- events

    def follow(self, connection: Connection) -> None:
        """Send events to a connection from now on."""
        self._followers.add(connection)

    def unfollow(self, connection: Connection) -> None:
        """Send no more events to a connection."""
        self._followers.discard(connection)

    def tell(self, box: Box, *actions: bytes) -> None:
        """Send a container's events; ``network ACTION`` is an event of its network."""
        if not self._followers:
            return
        lines = b"".join(bodies.chunk(self._event(box, action)) for action in actions)
        for follower in tuple(self._followers):
            follower.send(lines)

    def _event(self, box: Box, action: bytes) -> bytes:
        nano = self._last_nano = max(time.time_ns(), self._last_nano + 1)
        when = b'"scope":"local","time":%d,"timeNano":%d}\n' % (nano // 10**9, nano)
        if action.startswith(b"network "):
            return (
                b'{"Type":"network","Action":"%b","Actor":{"ID":"%b","Attributes":'
                b'{"container":"%b","name":"bridge","type":"bridge"}},%b'
                % (action[8:], self.documents.network_id.encode(), box.id, when)
            )
        attributes = b'"image":"%b","name":"%b"}' % (b"busybox:latest", box.name)
        if len(box.labels) > 2:
            attributes = b"%b,%b" % (box.labels[1:-1], attributes)
        return (
            b'{"status":"%b","id":"%b","from":"busybox:latest","Type":"container","Action":"%b",'
            b'"Actor":{"ID":"%b","Attributes":{%b},%b'
            % (action, box.id, action, box.id, attributes, when)
        )

    # ---- requests

    def sinks(self, head: Head) -> bool:
        """Return whether the body is only counted."""
        return head.route in _SINKS

    def handle(self, head: Head, body: bytes, connection: Connection) -> None:
        """Answer one request."""
        sunk = _SINKS.get(head.route)
        if sunk is not None:
            connection.send(answer(200, sunk))
            return
        handler = _ROUTES.get(head.route)
        told = handler(self, head, body, connection) if handler else _missing("page not found")
        if told is not None:
            connection.send(told)


def _missing(what: str) -> bytes:
    return answer(404, dump({"message": what}))


def _no_container(head: Head) -> bytes:
    return _missing(f"No such container: {head.name}")


def _list(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
    asked = json.loads(head.query.get("filters") or "{}").get("id")
    if asked:
        boxes = [box for box in map(engine.find, asked) if box is not None]
        return answer(200, b"[%b]" % b",".join(map(engine.summary, boxes)))
    limit = int(head.query.get("limit") or 0)
    if limit > 0:
        newest = itertools.islice(reversed(engine.boxes.values()), limit)
        return answer(200, b"[%b]" % b",".join(map(engine.summary, newest)))
    return answer(200, engine.list_all())


def _inspect(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
    box = engine.find(head.name)
    return answer(200, engine.templates.detail(box)) if box else _no_container(head)


def _create(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
    id = engine.new_id()
    name = head.query.get("name", "").encode() or id[:12]
    if name in engine.names:
        return answer(409, dump({"message": f"Conflict. The name {name!r} is already in use"}))
    box = Box(id, name, json.loads(body), 0, time.time_ns(), "created")
    engine.add(box)
    engine.tell(box, b"create")
    return answer(201, b'{"Id":"%b","Warnings":[]}\n' % id)


def _change(state: str, *actions: bytes) -> Handler:
    def change(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
        box = engine.find(head.name)
        if box is None:
            return _no_container(head)
        engine.set_state(box, state)
        engine.tell(box, *actions)
        return answer(204)

    return change


def _remove(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
    box = engine.find(head.name)
    if box is None:
        return _no_container(head)
    engine.drop(box)
    ended = (b"kill", b"die", b"network disconnect") if box.state == "running" else ()
    engine.tell(box, *ended, b"destroy")
    return answer(204)


def _events(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes | None:
    if "until" in head.query:  # past events, which are not kept
        return answer(200)
    connection.send(stream_head(b"application/json"))
    engine.follow(connection)
    return None


def _emit(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
    """Send an event of a container that changes nothing; only benchmarks use this route."""
    box = engine.find(head.query.get("container", ""))
    if box is None:
        return _no_container(head)
    engine.tell(box, head.query["action"].encode())
    return answer(204)


def _create_exec(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes:
    """Create an exec; the last word of its command is the number of bytes that it writes."""
    box = engine.find(head.name)
    if box is None:
        return _no_container(head)
    id, command = engine.new_id().decode(), json.loads(body)["Cmd"]
    engine.execs[id] = int(command[-1]) if command[-1].isdigit() else 0
    engine.tell(box, b"exec_create: %b" % " ".join(command).encode())
    return answer(201, dump({"Id": id}))


def _start_exec(
    engine: FakeEngine, head: Head, body: bytes, connection: Connection
) -> bytes | None:
    size = engine.execs.pop(head.name, None)
    if size is None:
        return _missing(f"No such exec instance: {head.name}")
    connection.send(hijacked_head(head))
    connection.pour(Pour(_RAW_FRAMES, size, closes=True))
    return None


def _attach(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> bytes | None:
    """Attach to a container, which sends back its input."""
    connection.send(hijacked_head(head))
    connection.begin_echo()
    return None


def _logs(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> None:
    """Send frames with a payload of ``frame`` bytes, ``bytes`` in total."""
    size, flushed = int(head.query.get("frame", "100")), "flushed" in head.query
    block = _FRAMES.get((size, flushed))
    if block is None:
        block = _FRAMES[size, flushed] = bodies.frames(size, flushed=flushed)
    _pour(connection, stream_head(_MULTIPLEXED), block, head)


def _stats(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> None:
    """Send samples as fast as the client reads, ``bytes`` in total."""
    _pour(connection, stream_head(b"application/json"), _STATS, head)


def _archive(engine: FakeEngine, head: Head, body: bytes, connection: Connection) -> None:
    _pour(connection, stream_head(b"application/x-tar", _PATH_STAT), _ZEROS, head)


def _pour(connection: Connection, head: bytes, block: bytes, asked: Head) -> None:
    connection.send(head)
    connection.pour(Pour(block, int(asked.query.get("bytes", "0")), bodies.END_OF_CHUNKS))


_RAW_FRAMES = bodies.raw_frames()
_ZEROS = bodies.zeros()
_STATS = bodies.stats()
_FRAMES: dict[tuple[int, bool], bytes] = {}

_ROUTES: dict[str, Handler] = {
    "GET /_ping": lambda *_: _PING,
    "GET /version": lambda engine, *_: answer(200, engine.documents.version),
    "GET /info": lambda engine, *_: answer(200, engine.documents.info()),
    "GET /images/json": lambda engine, *_: answer(200, engine.documents.images),
    "GET /networks": lambda engine, *_: answer(200, engine.documents.networks),
    "GET /networks/*": lambda engine, *_: answer(200, engine.documents.network),
    "GET /volumes": lambda engine, *_: answer(200, engine.documents.volumes),
    "GET /events": _events,
    "POST /benchmark/emit": _emit,
    "GET /containers/json": _list,
    "POST /containers/create": _create,
    "GET /containers/*/json": _inspect,
    "POST /containers/*/start": _change("running", b"network connect", b"start"),
    "POST /containers/*/stop": _change("exited", b"kill", b"die", b"network disconnect", b"stop"),
    "POST /containers/*/pause": _change("paused", b"pause"),
    "POST /containers/*/unpause": _change("running", b"unpause"),
    "DELETE /containers/*": _remove,
    "POST /containers/*/exec": _create_exec,
    "POST /exec/*/start": _start_exec,
    "GET /exec/*/json": lambda engine, head, *_: answer(200, dump({"ID": head.name})),
    "POST /containers/*/attach": _attach,
    "GET /containers/*/logs": _logs,
    "GET /containers/*/stats": _stats,
    "GET /containers/*/archive": _archive,
}
