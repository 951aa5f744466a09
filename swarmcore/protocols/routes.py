"""What an API plugin brings, and the exchange that its handlers are given."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from swarmcore.http.messages import Answer, Headers, Request
from swarmcore.http.response_hooks import NO_HOOKS, ResponseHooks
from swarmcore.protocols.clusters import Cluster
from swarmcore.protocols.engines import Engine
from swarmcore.protocols.stats import Traffic


class Exchange(Protocol):
    """One request and its answer.  A handler answers exactly once, by one of these methods."""

    @property
    def request(self) -> Request:
        """The request's head."""
        ...

    @property
    def cluster(self) -> Cluster:
        """The cluster that is asked."""
        ...

    def traffic(self) -> Mapping[str, Traffic]:
        """What this manager has carried: first segment of the path -> requests and bytes."""
        ...

    async def read_body(self) -> bytes:
        """The whole request body.

        Raises:
            TooLarge: above the limit for bodies that are parsed.
        """
        ...

    async def receive_chunk(self) -> bytes:
        """The next piece of the request body as it arrives, ``b""`` at its end.

        Nothing is read ahead: a handler that does not ask holds the client back.

        Raises:
            BadRequest: malformed framing.
        """
        ...

    async def read_json(self) -> Any:
        """The request body as JSON; ``None`` for an empty one.

        Raises:
            BadRequest: not JSON, not declared as JSON, or an object with colliding keys.
            TooLarge: above the limit.
        """
        ...

    async def send(self, answer: Answer) -> None:
        """Answer at once, with a length."""
        ...

    async def send_json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON."""
        ...

    def stream(
        self, status: int = 200, headers: Headers = ()
    ) -> AbstractAsyncContextManager[Callable[[bytes], Awaitable[None]]]:
        """Answer chunk by chunk: the head goes out on entry, each ``await send(data)`` at once.

        When the client goes away the block is cancelled and left quietly.
        """
        ...

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Cancel the block, and leave it quietly, when the client goes away.

        For work before the answer begins; ``stream`` and ``relay`` watch by themselves.
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
        """Hand the request to *engine* and its answer to the client, hijack and websocket too.

        The head goes on as it came, less what must change; bodies stream both ways, nothing is
        buffered whole; a client that leaves cancels the engine's work.

        Args:
            engine: who answers.
            path: path and query for the engine, percent-encoded, without version prefix.
            body: replaces the client's body; ``None`` streams the client's.
            hooks: what happens to the response.
            pieces: gives the client's body instead of ``receive_chunk``, the same bytes, ``b""`` at
                its end: for a handler that has begun to read it, or looks at what goes by.

        Returns:
            The status that the engine answered.

        Raises:
            EngineUnreachable: before anything was sent to the client.
        """
        ...


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the API.

    Attributes:
        method: upper case.
        template: without version prefix, e.g. ``/containers/{name}/json``; a ``{placeholder}``
            takes one or more characters, slashes included.
        handler: answers.
        routed: who is asked, for users to read: ``the manager``, ``the container's engine``,
            ``every engine``; shown by ``swarmcore plugins --routes``.
        local: also a replica answers, from what it knows itself; it forwards all other requests to
            the primary.
        rewrites: what of the request or the answer is not the engine's or the client's own; empty
            where nothing is.
    """

    method: str
    template: str
    handler: Handler
    routed: str = ""
    rewrites: str = ""
    local: bool = False


@dataclass(frozen=True, slots=True)
class Denied:
    """An authorization plugin's no."""

    reason: str
