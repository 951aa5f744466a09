"""One request to an embedded engine, as its routes see it; every answer is sent here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from swarmcore.errors import BadRequest
from swarmcore.http.messages import Answer, Headers, Query, Request, dump_json, json_answer
from swarmcore.http.server import ServerExchange
from swarmcore.versions import ApiVersion

JSON: Headers = ((b"Content-Type", b"application/json"),)

RAW = b"application/vnd.docker.raw-stream"
MULTIPLEXED = b"application/vnd.docker.multiplexed-stream"


@dataclass(slots=True, eq=False)
class Recorded:
    """A request that the engine received.

    Attributes:
        request: its head, with ``method``, ``target``, ``path``, ``query`` and ``headers``.
        body: the part of the body that a route has read.
    """

    request: Request
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<{self.request.method} {self.request.target}>"


class Call:
    """A request and its answer.

    Args:
        exchange: the exchange of the server.
        recorded: gets the body when it is read.
        params: the values of the placeholders in the route's template.
        version: the API version of the request.
        lie: changes the JSON of the answer.
        resumed: waits while the engine is paused.
    """

    def __init__(
        self,
        exchange: ServerExchange,
        recorded: Recorded,
        params: Mapping[str, str],
        version: ApiVersion,
        lie: Callable[[Any], Any] | None,
        resumed: Callable[[], Awaitable[None]],
    ) -> None:
        self.exchange = exchange
        self.params = params
        self.version = version
        #: Whether the connection is closed instead of sending the answer.
        self.answer_is_lost = False
        self._recorded = recorded
        self._lie = lie
        self._resumed = resumed

    # ---- the request

    @property
    def request(self) -> Request:
        """The head of the request."""
        return self.exchange.request

    @property
    def query(self) -> Query:
        """The query of the request."""
        return self.exchange.request.query

    def number(self, key: str, default: int) -> int:
        """Return a number in the query.

        Raises:
            BadRequest: it is not a number.
        """
        text = self.query.get(key)
        try:
            return int(text) if text else default
        except ValueError:
            raise BadRequest(f'strconv.Atoi: parsing "{text}": invalid syntax') from None

    async def read_body(self) -> bytes:
        """Read the whole body, of any size."""
        pieces = []
        while piece := await self.exchange.receive_chunk():
            pieces.append(piece)
        self._recorded.body = b"".join(pieces)
        return self._recorded.body

    async def read_json(self) -> Any:
        """Read the body as JSON; ``None`` for an empty body.

        Raises:
            BadRequest: it is not JSON.
        """
        value = await self.exchange.read_json()
        self._recorded.body = b"" if value is None else dump_json(value)
        return value

    # ---- the answer

    async def send_json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON."""
        if self._lie is not None:
            value = self._lie(value)
        damaged = Answer(status, JSON, value) if isinstance(value, bytes) else None
        await self.send(damaged or json_answer(value, status))

    async def send_empty(self, status: int = 204) -> None:
        """Answer without a body."""
        await self.send(Answer(status))

    async def send(self, answer: Answer) -> None:
        """Send an answer."""
        await self._resumed()
        if self.answer_is_lost:
            await self.exchange.take_over(b"")
        else:
            await self.exchange.send(answer)

    @asynccontextmanager
    async def stream(self, headers: Headers = JSON) -> AsyncIterator[Callable[[bytes], Any]]:
        """Answer in pieces, as ``Exchange.stream`` does."""
        await self._resumed()
        async with self.exchange.stream(200, headers) as send:

            async def send_resumed(data: bytes) -> None:
                await self._resumed()
                await send(data)

            yield send_resumed

    @asynccontextmanager
    async def stream_json(self) -> AsyncIterator[Callable[[Any], Any]]:
        """Answer with one JSON object per line."""
        async with self.stream() as send:

            async def send_value(value: Any) -> None:
                if self._lie is not None:
                    value = self._lie(value)
                await send(value if isinstance(value, bytes) else dump_json(value))

            yield send_value

    async def hijack(
        self, *, multiplexed: bool, headers: Headers = ()
    ) -> trio.abc.HalfCloseableStream:
        """Turn the connection into a raw stream: with status 101 if the client asked, else 200.

        Args:
            multiplexed: whether the stream is framed.  The content type says so from API 1.42 on,
                and only with status 101.
            headers: more headers, besides the content type.
        """
        await self._resumed()
        upgrade = self.request.header("upgrade") is not None
        kind = MULTIPLEXED if multiplexed and upgrade and self.version >= (1, 42) else RAW
        lines = [b"HTTP/1.1 101 UPGRADED" if upgrade else b"HTTP/1.1 200 OK"]
        lines.append(b"Content-Type: " + kind)
        if upgrade:
            lines += [b"Connection: Upgrade", b"Upgrade: tcp"]
        lines += [name + b": " + value for name, value in headers]
        return await self.exchange.take_over(b"\r\n".join([*lines, b"", b""]))
