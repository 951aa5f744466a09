"""An embedded engine: a small Docker Engine in this process, on a real socket.

    engine = EmbeddedEngine("n1", cpus=4, memory=8 * GiB, images=["busybox"])
    async with engine.serving():
        ...  # a manager, or any Docker client, can connect to engine.address

It has containers, images, networks and volumes, runs a few built-in programs, streams events and
logs, and answers attach and exec.  A test can make it fail in many ways.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from swarmcore.addresses import Address
from swarmcore.errors import BadRequest, NotFound, Unavailable
from swarmcore.http.messages import Answer, Headers, error_answer
from swarmcore.http.server import Server, ServerExchange
from swarmcore.model import Entry, GiB
from swarmcore.testing.embedded.call import Call, Recorded
from swarmcore.testing.embedded.connections import EngineListener, Listen, listen_tcp
from swarmcore.testing.embedded.container import ContainerRecord
from swarmcore.testing.embedded.faults import Fault, Faults, Kind, request_matches
from swarmcore.testing.embedded.images import ImageRecord
from swarmcore.testing.embedded.lives import begin
from swarmcore.testing.embedded.routes import ROUTER
from swarmcore.testing.embedded.runtime import Runtime
from swarmcore.testing.embedded.state import EngineState
from swarmcore.versions import ApiVersion

#: The number of requests that are recorded; a benchmark sends millions.
_REQUESTS = 10_000


class EmbeddedEngine:
    """One engine.

    Attributes:
        name: its host name.
        cpus: the CPUs that it reports.
        memory: the memory that it reports, in bytes.
        labels: its labels.
        version: the release that it reports.
        min_api_version, api_version: the range of its API versions.
        state: its containers, images and so on; kept while it does not serve.
        requests: the newest requests, oldest first.

    Args:
        images: names of the images that it has from the start.
        pullable: names of images that can be pulled; ``*`` matches anything.
        host, port: where it listens.  Port 0 chooses a port when it first serves, and keeps it.
        seed: the seed of its ids; ``None`` for other ids each time.
        clock: returns Unix nanoseconds.
        listen: listens for connections; a simulation has its own network.
    """

    def __init__(
        self,
        name: str = "n1",
        *,
        cpus: int = 4,
        memory: int = 8 * GiB,
        labels: Mapping[str, str] | None = None,
        version: str = "28.5.2",
        min_api_version: tuple[int, int] = (1, 24),
        api_version: tuple[int, int] = (1, 51),
        images: Iterable[str] = ("busybox",),
        pullable: Iterable[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int | None = None,
        clock: Callable[[], int] = time.time_ns,
        listen: Listen = listen_tcp,
    ) -> None:
        self.name = name
        self.cpus = cpus
        self.memory = memory
        self.labels = dict(labels or {})
        self.version = version
        self.min_api_version = ApiVersion(*min_api_version)
        self.api_version = ApiVersion(*api_version)
        self.state = EngineState(seed, clock)
        self._listen = listen
        self.requests: deque[Recorded] = deque(maxlen=_REQUESTS)
        self._host, self._port = host, port
        self._faults = Faults()
        self._came = trio.Event()
        self._resumed = trio.Event()
        self._resumed.set()
        self._runtime: Runtime | None = None
        self._listening: trio.CancelScope | None = None
        self._nursery: trio.Nursery | None = None
        self._listener: EngineListener | None = None
        for image in images:
            self.add_image(image)
        for pattern in pullable:
            self.allow_pull(pattern)

    def __repr__(self) -> str:
        return f"<EmbeddedEngine {self.name} {self._host}:{self._port}>"

    # ---- serving

    @property
    def address(self) -> str:
        """``host:port``; port 0 until it has served."""
        return str(Address("tcp", self._host, self._port))

    @property
    def entry(self) -> Entry:
        """Return the engine as a discovery would report it."""
        return Entry(Address("tcp", self._host, self._port))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["EmbeddedEngine"]:
        """Serve during the block; can be used again afterwards.

        The end of the block is like a crash: connections break and containers are killed.  All
        objects are kept, and containers with a restart policy start when the engine serves again,
        on the same port.
        """
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._runtime = Runtime(self.state, nursery)
            self.state.forget_events()
            await self.mend()
            self._runtime.resume_all()
            try:
                yield self
            finally:
                self.cut()
                self._runtime.die_all()
                self._runtime = self._nursery = None
                nursery.cancel_scope.cancel()

    @property
    def runtime(self) -> Runtime:
        """The runtime of its containers.

        Raises:
            Unavailable: the engine does not serve.
        """
        if self._runtime is None:
            raise Unavailable(f"embedded engine {self.name} does not serve now")
        return self._runtime

    def cut(self) -> None:
        """Simulate a broken network: connections break, new ones are refused, containers run."""
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        self.drop_connections()

    async def mend(self) -> None:
        """Listen again on the same port, after :meth:`cut`."""
        if self._listening is not None or self._nursery is None:
            return
        self._listener = await self._listen(self._host, self._port)
        self._port = self._listener.port
        self._listening = await self._nursery.start(self._serve, self._listener)

    def drop_connections(self) -> None:
        """Break every open connection; new connections are accepted."""
        if self._listener is not None:
            self._listener.drop_all()

    def pause(self) -> None:
        """Stop answering, like a stopped process: connections are accepted and not answered."""
        if self._resumed.is_set():
            self._resumed = trio.Event()

    def resume(self) -> None:
        """Continue after :meth:`pause`, and answer the requests that waited."""
        self._resumed.set()

    async def _serve(
        self, listener: EngineListener, *, task_status: trio.TaskStatus[trio.CancelScope]
    ) -> None:
        with trio.CancelScope() as scope:
            server = Server(self.answer)
            async with trio.open_nursery() as nursery:
                await nursery.start(server.run, [listener])
                task_status.started(scope)

    # ---- objects of the engine

    def add_image(self, name: str, config: Mapping[str, Any] | None = None) -> ImageRecord:
        """Add an image, without an event.

        Args:
            name: the name with or without tag.
            config: its command, environment and labels; by default, those of busybox.
        """
        return self.state.images.add(name, self.state.clock(), config)

    def allow_pull(self, pattern: str, password: str = "") -> None:
        """Let images be pulled.

        Args:
            pattern: their names; ``*`` matches anything.
            password: the password that ``X-Registry-Auth`` must have; empty for public images.
        """
        self.state.images.allow_pull(pattern, password)

    def add_container(
        self, name: str = "", *, image: str = "busybox", body: Mapping[str, Any] | None = None
    ) -> ContainerRecord:
        """Add a running container, without a request; it runs until it is stopped.

        Args:
            name: the name without slash; empty for a made-up name.
            image: its image; added if the engine lacks it.
            body: more fields of the create body.
        """
        self.add_image(image)
        asked = {"Image": image, "Cmd": ["run-until-stopped"], **(body or {})}
        record = self.state.create_container(asked, name)
        begin(self.state, record, pid=len(self.state.containers))
        return record

    @property
    def containers(self) -> Sequence[ContainerRecord]:
        """The containers that ``ps -a`` would list, newest first."""
        return self.state.newest_first()

    def container(self, name: str) -> ContainerRecord:
        """Return a container by name or id.

        Raises:
            NotFound: there is no such container.
        """
        return self.state.find_container(name)

    def emit(
        self, kind: str, action: str, id: str, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Send an event without a change."""
        self.state.events.emit(kind, action, id, attributes or {})

    # ---- faults; see ``faults`` for patterns

    def fail(
        self,
        pattern: str,
        status: int = 500,
        message: str = "scripted failure",
        *,
        times: int | None = None,
    ) -> Fault:
        """Answer requests that match *pattern* with an error.

        Args:
            pattern: see ``faults``.
            status: the HTTP status.
            message: the error text.
            times: the number of requests to fail; ``None`` for all.
        """
        fault = Fault(Kind.FAIL, pattern, times, status, message)
        return self._faults.add(fault)

    def hang(self, pattern: str = "*", *, times: int | None = None) -> Fault:
        """Answer requests that match *pattern* only after the fault is released."""
        return self._faults.add(Fault(Kind.HANG, pattern, times))

    def drop(self, pattern: str, *, times: int | None = None) -> Fault:
        """Close the connection instead of answering."""
        return self._faults.add(Fault(Kind.DROP, pattern, times))

    def lose(self, pattern: str, *, times: int | None = None) -> Fault:
        """Execute the request, and close the connection instead of answering."""
        return self._faults.add(Fault(Kind.LOSE, pattern, times))

    def delay(self, pattern: str, seconds: float, *, times: int | None = None) -> Fault:
        """Answer *seconds* late."""
        return self._faults.add(Fault(Kind.DELAY, pattern, times, seconds=seconds))

    def lie(
        self, pattern: str, transform: Callable[[Any], Any], *, times: int | None = None
    ) -> Fault:
        """Change the answer's JSON (of a stream: of each line) with *transform*.

        Bytes that it returns are sent as they are, for answers that are not JSON.
        """
        return self._faults.add(Fault(Kind.LIE, pattern, times, transform=transform))

    def behave(self) -> None:
        """End every fault."""
        self._faults.clear()

    # ---- recorded requests

    def requests_like(self, pattern: str) -> list[Recorded]:
        """Return the recorded requests that match a pattern, oldest first."""
        return [
            each
            for each in self.requests
            if request_matches(pattern, each.request.method, each.request.path)
        ]

    async def wait_request(self, pattern: str, count: int = 1) -> list[Recorded]:
        """Wait until *count* requests match *pattern*, and return them."""
        while len(found := self.requests_like(pattern)) < count:
            await self._came.wait()
        return found

    # ---- answering

    async def answer(self, exchange: ServerExchange) -> None:
        """Answer one request; ``serving`` calls this for each request.

        Raises:
            SwarmError: an error that the server turns into an answer.
        """
        request = exchange.request
        recorded = Recorded(request)
        self.requests.append(recorded)
        self._came.set()
        self._came = trio.Event()
        await self._resumed.wait()
        fault = self._faults.take(request.method, request.path)
        if fault is not None and not await _suffer(fault, exchange):
            return
        exchange.common_headers = self._common_headers()
        refusal = self._version_refusal(request.version)
        if refusal is not None:
            await exchange.send(refusal)
            return
        found = ROUTER.match(request.method, request.path)
        if found is None:
            raise NotFound("page not found")
        route, params = found
        lie = fault.transform if fault is not None and fault.kind is Kind.LIE else None
        version = request.version or self.api_version
        call = Call(exchange, recorded, params, version, lie, self._wait_resumed)
        call.answer_is_lost = fault is not None and fault.kind is Kind.LOSE
        await route.handler(self, call)

    async def _wait_resumed(self) -> None:
        await self._resumed.wait()

    def _common_headers(self) -> Headers:
        return (
            (b"Api-Version", str(self.api_version).encode()),
            (b"Docker-Experimental", b"false"),
            (b"Ostype", b"linux"),
            (b"Server", f"Docker/{self.version} (linux)".encode()),
        )

    def _version_refusal(self, version: ApiVersion | None) -> Answer | None:
        if version is None or self.min_api_version <= version <= self.api_version:
            return None
        if version > self.api_version:
            raise BadRequest(
                f"client version {version} is too new. Maximum supported API version is "
                f"{self.api_version}"
            )
        text = (
            f"client version {version} is too old. Minimum supported API version is "
            f"{self.min_api_version}, please upgrade your client to a newer version"
        )
        if version >= (1, 24):
            raise BadRequest(text)
        plain = ((b"Content-Type", b"text/plain; charset=utf-8"),)
        return Answer(400, plain, text.encode() + b"\n")


async def _suffer(fault: Fault, exchange: ServerExchange) -> bool:
    """Apply a fault; return whether the request is executed afterwards."""
    match fault.kind:
        case Kind.FAIL:
            await exchange.send(error_answer(fault.status, fault.message))
            return False
        case Kind.DROP:
            await exchange.take_over(b"")
            return False
        case Kind.HANG:
            async with exchange.watching():
                await fault.wait_released()
        case Kind.DELAY:
            await trio.sleep(fault.seconds)
    return True
