"""Interfaces of API plugins: routes, and the exchange that handlers receive."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from swarmcore.http.messages import Answer, Headers, Request
from swarmcore.http.response_hooks import NO_HOOKS, ResponseHooks
from swarmcore.protocols.clusters import Cluster
from swarmcore.protocols.engines import Engine
from swarmcore.protocols.stats import Traffic


class Sender(Protocol):
    """Sends the pieces of an answer, each as soon as there is one."""

    async def __call__(self, data: bytes) -> None:
        """Send a piece; wait until the connection has taken it."""
        ...

    def now(self, data: bytes) -> bool:
        """Send a piece without waiting: saves a task switch where many clients get the same.

        No task may be sending meanwhile.

        Returns:
            Whether it is sent; ``False`` if the client is slow, or the connection uses TLS.
        """
        ...


class Exchange(Protocol):
    """One request and its answer.  A handler must answer exactly once, by one of these methods."""

    @property
    def request(self) -> Request:
        """The request's method, path, headers and client."""
        ...

    @property
    def cluster(self) -> Cluster:
        """The cluster."""
        ...

    def traffic(self) -> Mapping[str, Traffic]:
        """Traffic since the manager's start, by the first segment of the path."""
        ...

    async def read_body(self) -> bytes:
        """Read the whole request body.

        Raises:
            TooLarge: the body exceeds the limit for bodies that are parsed.
        """
        ...

    async def receive_chunk(self) -> bytes:
        """Read the next piece of the request body; ``b""`` at its end.

        Nothing is read ahead, so a handler that does not call this slows the client down.

        Raises:
            BadRequest: the body's framing is malformed.
        """
        ...

    async def read_json(self) -> Any:
        """Read the request body as JSON; ``None`` if the body is empty.

        Raises:
            BadRequest: the body is not JSON, is not declared as JSON, or has an object with
                colliding keys.
            TooLarge: the body exceeds the limit for bodies that are parsed.
        """
        ...

    async def send(self, answer: Answer) -> None:
        """Send a complete answer with ``Content-Length``."""
        ...

    async def send_json(self, value: Any, status: int = 200) -> None:
        """Send *value* as a JSON answer."""
        ...

    def stream(
        self, status: int = 200, headers: Headers = ()
    ) -> AbstractAsyncContextManager[Sender]:
        """Answer in chunks: entering the block sends the head, ``await send(data)`` one chunk.

        If the client disconnects, the block is cancelled and exits without an error.
        """
        ...

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Cancel the block if the client disconnects; it then exits without an error.

        For work before the answer begins; ``stream`` and ``relay`` do this themselves.
        """
        ...

    async def relay(
        self,
        engine: Engine,
        path: str,
        *,
        body: bytes | None = None,
        hooks: ResponseHooks = NO_HOOKS,
        pieces: Callable[[], Awaitable[bytes]] | None = None,
    ) -> int:
        """Forward the request to *engine* and its answer to the client.

        Supports hijacked connections and websockets.  Headers pass unchanged except where they must
        change; bodies are streamed both ways.  If the client disconnects, the engine's request is
        cancelled.

        Args:
            engine: the engine to ask.
            path: path and query for the engine, percent-encoded, without version prefix.
            body: replaces the client's body; ``None`` streams the client's body.
            hooks: change or observe the answer.
            pieces: source of the client's body, used instead of ``receive_chunk``; must return the
                same bytes, and ``b""`` when the rest is to be streamed unseen, or at the end.  For
                a handler that has read part of the body or observes it.

        Returns:
            The status of the engine's answer.

        Raises:
            EngineUnreachable: the engine failed before anything was sent to the client.
        """
        ...


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the API.

    Attributes:
        method: upper case.
        template: path without version prefix, such as ``/containers/{name}/json``; a
            ``{placeholder}`` matches one or more characters, including slashes.
        handler: answers the request.
        routed: documentation: which engines are asked, such as ``the manager``, ``the container's
            engine``, ``every engine``; shown by ``swarmcore plugins --routes``.
        rewrites: documentation: what the manager changes in the request or the answer; empty if
            nothing.
        local: whether a replica answers this route itself instead of forwarding it to the primary.
    """

    method: str
    template: str
    handler: Handler
    routed: str = ""
    rewrites: str = ""
    local: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """The refusal of a request by an authorization plugin."""

    reason: str
