"""Give one request to a handler, and record its answer."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

from swarmcore.http.messages import Answer, Headers, json_answer
from swarmcore.http.routing import Router
from swarmcore.protocols import NO_HOOKS, Cluster, Engine, Exchange, ResponseHooks, Route, Traffic
from swarmcore.testing.builders import a_request
from swarmcore.testing.doubles.cluster import FakeCluster


class RecordingSender:
    """A ``Sender`` that records the data in ``FakeExchange.chunks``."""

    def __init__(self, exchange: "FakeExchange") -> None:
        self._exchange = exchange

    async def __call__(self, data: bytes) -> None:
        """See ``Sender``."""
        await trio.lowlevel.checkpoint()
        self._exchange.chunks.append(data)

    def now(self, data: bytes) -> bool:
        """See ``Sender``; returns false if ``slow`` is set."""
        if self._exchange.slow:
            return False
        self._exchange.chunks.append(data)
        return True


class FakeExchange:
    """An ``Exchange`` that records the answer.

    Args:
        cluster: the cluster for the handler.
        method: the method in upper case.
        target: path and query as in a request line, with or without a version prefix.
        params: the values of the placeholders in the route's template.
        body: the request's body before it is encoded as JSON.
        headers: the headers of the request.

    Attributes:
        status, headers, body: the answer; the status is 0 until there is an answer.
        chunks: the pieces of a streamed answer.
        slow: whether the sender of a streamed answer cannot send without waiting.
        uploaded: the pieces of the request's body that ``receive_chunk`` returns.
        relayed: engine and path of a relay, otherwise ``None``.
        sent: the body that a relay sent to its engine.
        engine_answer: the engine's answer to a relay, or an exception to raise.
        relaying: an event that is set when a relay has begun.
        hold: an event for which a relay waits.
        watched: the scope of the last ``watching``; cancel it to let the client go away.
        carried: the result of ``traffic``.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        method: str = "GET",
        target: str = "/",
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Headers = (),
    ) -> None:
        self.request = a_request(method, target, headers=headers).with_params(params or {})
        self.cluster = cluster
        self._body = body
        self.status = 0
        self.headers: Headers = ()
        self.body = b""
        self.chunks: list[bytes] = []
        self.slow = False
        self.uploaded: list[bytes] = []
        self.relayed: tuple[Engine, str] | None = None
        self.sent = b""
        self.engine_answer: Answer | Exception = Answer(204)
        self.relaying = trio.Event()
        self.hold: trio.Event | None = None
        self.watched = trio.CancelScope()
        self.carried: Mapping[str, Traffic] = {}

    @property
    def json(self) -> Any:
        """The answer's body, decoded from JSON."""
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        """The pieces of a streamed answer, each decoded from JSON."""
        return [json.loads(chunk) for chunk in self.chunks]

    def traffic(self) -> Mapping[str, Traffic]:
        """See ``Exchange``; returns ``carried``."""
        return self.carried

    async def read_json(self) -> Any:
        """See ``Exchange``."""
        return self._body

    async def read_body(self) -> bytes:
        """See ``Exchange``."""
        return json.dumps(self._body).encode()

    async def receive_chunk(self) -> bytes:
        """See ``Exchange``; returns the next piece of ``uploaded``."""
        return self.uploaded.pop(0) if self.uploaded else b""

    async def send(self, answer: Answer) -> None:
        """See ``Exchange``."""
        assert not self.status, "answered twice"
        self.status, self.headers, self.body = answer.status, answer.headers, answer.body

    async def send_json(self, value: Any, status: int = 200) -> None:
        """See ``Exchange``."""
        await self.send(json_answer(value, status))

    @asynccontextmanager
    async def stream(
        self, status: int = 200, headers: Headers = ()
    ) -> AsyncIterator["RecordingSender"]:
        """See ``Exchange``; records the pieces in ``chunks``."""
        assert not self.status, "answered twice"
        self.status, self.headers = status, headers
        yield RecordingSender(self)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """See ``Exchange``."""
        with trio.CancelScope() as self.watched:
            yield

    async def relay(
        self,
        engine: Engine,
        path: str,
        *,
        body: bytes | None = None,
        hooks: ResponseHooks = NO_HOOKS,
        pieces: Callable[[], Awaitable[bytes]] | None = None,
    ) -> int:
        """See ``Exchange``; relays ``engine_answer``, with the hooks for status and response."""
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
        if hooks.on_status is not None:
            await hooks.on_status(answer.status)
        if hooks.map_response is not None and answer.ok:
            answer = hooks.map_response(answer)
        await self.send(answer)
        return answer.status


async def ask(
    routes: Iterable[Route],
    cluster: FakeCluster,
    method: str,
    target: str,
    *,
    body: Any = None,
    headers: Headers = (),
) -> FakeExchange:
    """Find the route of a request, as a manager does, and run its handler.

    Args:
        routes: the result of the plugin's ``swarmcore_routes``.
        cluster: the cluster for the handler.
        method, target, body, headers: the request; see ``FakeExchange``.

    Returns:
        The exchange with the handler's answer.

    Raises:
        LookupError: no route matches the request.
        SwarmError: the handler's error; a manager would answer with its status and text.
    """
    exchange = FakeExchange(cluster, method, target, body=body, headers=headers)
    found = Router(list(routes)).match(method, exchange.request.path)
    if found is None:
        raise LookupError(f"no route for {method} {target}")
    route, params = found
    exchange.request = exchange.request.with_params(params)
    await route.handler(exchange)
    return exchange


if TYPE_CHECKING:

    def _is_an_exchange(exchange: FakeExchange) -> Exchange:
        return exchange

    def _has_a_cluster(exchange: FakeExchange) -> Cluster:
        return exchange.cluster
