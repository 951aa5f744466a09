"""The control path to one engine: whole answers and lines, by httpx over our own connections.

The only importer of httpx.  How a connection is made (TCP, TLS, unix socket, ssh) is ``dial``'s
matter; how long to wait is the caller's, with a cancel scope around the call.
"""

import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpcore
import httpx
import trio

from swarmcore.dial import Dialer
from swarmcore.errors import EngineError, EngineUnreachable
from swarmcore.messages import Answer, Headers

#: Control calls to one engine at a time; a thousand inspects share these.
_CONNECTIONS = 32
_IDLE_CONNECTIONS = 4
#: A list of ten thousand containers is some 30 MB.
_BODY_LIMIT = 256 * 1024 * 1024
_LINE_LIMIT = 4 * 1024 * 1024
#: An answer of these methods can be asked for twice without doing anything twice.
_REPEATABLE = frozenset({"GET", "HEAD"})


class EngineClient:
    """Asks one engine.

    Args:
        dialer: makes connections.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._label = str(dialer.address)
        self._client = httpx.AsyncClient(
            transport=_Transport(dialer), timeout=None, trust_env=False, base_url="http://docker"
        )
        # httpx adds headers of its own, and an engine would compress for them.
        self._client.headers = httpx.Headers({"User-Agent": "swarmcore"})

    async def request(
        self, method: str, target: str, *, body: bytes | None = None, headers: Headers = ()
    ) -> Answer:
        """Ask, and read the whole answer.

        Args:
            method: upper case.
            target: path and query, version prefix included.
            body: sent with its length; ``None`` sends none.
            headers: added to the request.

        Returns:
            The answer, whatever its status.

        Raises:
            EngineUnreachable: no answer; ``sent`` tells whether the request may have arrived.
        """
        with self._translated():
            request = self._build(method, target, body, headers)
            try:
                return await self._read(request)
            except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
                # Most often a kept connection that the engine closed a moment ago.
                if method not in _REPEATABLE:
                    raise
            return await self._read(self._build(method, target, body, headers))

    @asynccontextmanager
    async def open(
        self, method: str, target: str, *, body: bytes | None = None, headers: Headers = ()
    ) -> AsyncIterator["AnswerStream"]:
        """Ask, and read the answer as it comes; arguments as for ``request``.

        Leaving the block closes the connection when the answer was not read to its end.

        Raises:
            EngineUnreachable: no answer.
        """
        with self._translated():
            response = await self._client.send(
                self._build(method, target, body, headers), stream=True
            )
        try:
            yield AnswerStream(response, self._label)
        finally:
            with trio.CancelScope(shield=True):
                await response.aclose()

    @asynccontextmanager
    async def events(self, target: str) -> AsyncIterator["Lines"]:
        """Follow a stream of lines, without end.

        Raises:
            EngineError: the engine refused.
            EngineUnreachable: no answer.
        """
        async with self.open("GET", target) as answer:
            if answer.status != 200:
                raise EngineError(self._label, f"GET {target}: status {answer.status}")
            yield Lines(answer, self._label)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _build(
        self, method: str, target: str, body: bytes | None, headers: Headers
    ) -> httpx.Request:
        """One request; its target goes out byte for byte as given."""
        length = [] if body is None and method in _REPEATABLE else [(b"Content-Length", b"0")]
        if body is not None:
            length = [(b"Content-Length", b"%d" % len(body))]
        return self._client.build_request(
            method,
            "/",
            content=body,
            headers=[(b"Host", b"docker"), *headers, *length],
            extensions={"target": target.encode("ascii")},
        )

    async def _read(self, request: httpx.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > _BODY_LIMIT:
                    raise EngineError(self._label, "the answer is beyond any reasonable length")
            return Answer(response.status_code, tuple(response.headers.raw), bytes(body))
        finally:
            with trio.CancelScope(shield=True):
                await response.aclose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError) as error:
            raise EngineUnreachable(
                self._label, f"the connection to engine {self._label} broke: {error!r}", sent=True
            ) from error


class AnswerStream:
    """An answer whose body is read piece by piece."""

    def __init__(self, response: httpx.Response, label: str) -> None:
        self.status = response.status_code
        self.headers: Headers = tuple(response.headers.raw)
        self._pieces = response.aiter_raw()
        self._label = label

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError) as error:
            raise EngineUnreachable(
                self._label, f"the connection to engine {self._label} broke: {error!r}", sent=True
            ) from error


class Lines:
    """A body cut at its newlines; blank lines are left out."""

    def __init__(self, answer: AnswerStream, label: str) -> None:
        self._answer = answer
        self._label = label
        self._rest = b""
        self._lines: list[bytes] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._lines:
            piece = await anext(self._answer)
            *whole, self._rest = (self._rest + piece).split(b"\n")
            self._lines = [line for line in reversed(whole) if line.strip()]
            if len(self._rest) > _LINE_LIMIT:
                raise EngineError(self._label, "a line of its stream is beyond reasonable length")
        return self._lines.pop()


class _Transport(httpx.AsyncBaseTransport):
    """httpx over a pool whose connections our dialer makes."""

    def __init__(self, dialer: Dialer) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_IDLE_CONNECTIONS,
            network_backend=_Backend(dialer),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme="http", host="docker", port=80, target=request.extensions["target"]
                ),
                headers=request.headers.raw,
                content=_Content(request.content),
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Content:
    """A request's body, given once; no generator, for a cancelled request would leave it open."""

    def __init__(self, content: bytes) -> None:
        self._left = [content] if content else []

    def __aiter__(self) -> "_Content":
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


class _Body(httpx.AsyncByteStream):
    """httpcore's body as httpx wants it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = self._stream.__aiter__()
        return pieces

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Backend(httpcore.AsyncNetworkBackend):
    """Makes connections by the dialer, whatever host is asked for."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        return _NetworkStream(await self._dialer.dial())

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _NetworkStream(httpcore.AsyncNetworkStream):
    """A trio stream as httpcore wants it."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return bytes(await self._stream.receive_some(max_bytes))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            await self._stream.send_all(buffer)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and isinstance(self._stream, trio.SocketStream):
            # httpcore asks before it takes a kept connection: readable means closed.
            return _is_readable(self._stream)
        return None


def _is_readable(stream: trio.SocketStream) -> bool:
    poller = select.poll()
    poller.register(stream.socket.fileno(), select.POLLIN)
    return bool(poller.poll(0))


__all__ = ["AnswerStream", "EngineClient", "Lines"]
