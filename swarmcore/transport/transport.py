"""The control path to one engine: whole answers and lines, by httpx over our own connections.

The only importer of httpx.  How a connection is made (TCP, TLS, unix socket, ssh) is ``dial``'s
matter; how long to wait is the caller's, with a cancel scope around the call.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httpcore
import httpx
import trio

from swarmcore.errors import BadRequest, EngineError, EngineUnreachable
from swarmcore.messages import Answer, Headers
from swarmcore.transport.dial import Dialer, is_readable

#: Control calls to one engine at a time; a thousand inspects share these.
_CALLS = 32
_IDLE_CONNECTIONS = 4
#: A list of ten thousand containers is some 30 MB.
_BODY_LIMIT = 64 * 1024 * 1024
_LINE_LIMIT = 1024 * 1024
_CLEANUP_SECONDS = 2.0
#: An answer of these methods can be asked for twice without doing anything twice.
_REPEATABLE = frozenset({"GET", "HEAD"})
_TARGET = re.compile(r"/[\x21-\x7e]*")


class EngineClient:
    """Asks one engine.

    Args:
        dialer: makes connections.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._label = str(dialer.address)
        self._backend = _Backend(dialer)
        self._client = httpx.AsyncClient(
            transport=_Transport(self._backend), timeout=None, trust_env=False
        )
        # Calls wait here and not in httpcore's pool, which loses a place for good when a waiting
        # call is cancelled at the moment its turn comes: as when an engine hangs under many calls.
        self._calls = trio.Semaphore(_CALLS)

    async def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        permit: Callable[[], None] | None = None,
    ) -> Answer:
        """Ask, and read the whole answer.

        Args:
            method: upper case.
            target: path and query, percent-encoded, version prefix included.
            body: sent with its length; ``None`` sends none.
            headers: added to the request.
            permit: called when there is a connection, and nothing was sent yet; what it raises
                is raised, and nothing is sent.

        Returns:
            The answer, whatever its status.

        Raises:
            BadRequest: the target or a header cannot be sent.
            EngineError: the answer is longer than 64 MiB.
            EngineUnreachable: no answer; ``sent`` tells whether the request may have arrived.
        """
        async with self._calls:
            with _translated(self._label):
                try:
                    return await self._ask(method, target, body, headers, permit)
                except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
                    # Most often a kept connection that the engine closed a moment ago.
                    if method not in _REPEATABLE:
                        raise
                self._backend.distrust()
                return await self._ask(method, target, body, headers, permit)

    @asynccontextmanager
    async def events(self, target: str) -> AsyncIterator["Lines"]:
        """Follow a stream of lines, without end; it does not count as a call.

        Args:
            target: path and query, percent-encoded, version prefix included.

        Raises:
            EngineError: the engine refused.
            EngineUnreachable: no answer.
        """
        with _translated(self._label):
            response = await self._send("GET", target, None, ())
        async with _closing(response) as pieces:
            if response.status_code != 200:
                text = f"engine {self._label}: GET {target}: status {response.status_code}"
                raise EngineError(self._label, text)
            yield Lines(pieces, self._label)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _ask(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Headers,
        permit: Callable[[], None] | None,
    ) -> Answer:
        response = await self._send(method, target, body, headers, permit)
        async with _closing(response) as pieces:
            read = bytearray()
            async for piece in pieces:
                read += piece
                if len(read) > _BODY_LIMIT:
                    text = f"engine {self._label}: the answer to {method} {target} is over 64 MiB"
                    raise EngineError(self._label, text)
            return Answer(response.status_code, tuple(response.headers.raw), bytes(read))

    async def _send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Headers,
        permit: Callable[[], None] | None = None,
    ) -> httpx.Response:
        """Send one request, its target byte for byte as given; returns the answer's head."""
        if not _TARGET.fullmatch(target):
            raise BadRequest(f"{target!r} is not a percent-encoded path")
        if self._client.is_closed:
            raise EngineUnreachable(self._label, f"engine {self._label} has left the cluster")
        sent = [(b"Host", b"docker"), (b"User-Agent", b"swarmcore"), *headers]
        if body is not None or method not in _REPEATABLE:
            sent.append((b"Content-Length", b"%d" % len(body or b"")))
        # Not the client's build_request, whose own headers would have engines compress.
        extensions: dict[str, Any] = {"target": target.encode("ascii")}
        if permit is not None:
            extensions["trace"] = _ask_before_sending(permit)
        request = httpx.Request(
            method, "http://docker/", content=body, headers=sent, extensions=extensions
        )
        return await self._client.send(request, stream=True)


@contextmanager
def _translated(label: str) -> Iterator[None]:
    """Say a connection's failure in swarmcore's words; one that cannot be made, ``dial`` has said.

    Raises:
        BadRequest: the request cannot be sent.
        EngineUnreachable: the connection broke.
    """
    try:
        yield
    except httpcore.LocalProtocolError as error:
        raise BadRequest(f"cannot ask engine {label}: {error}") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        why = str(error) or type(error).__name__
        raise EngineUnreachable(
            label, f"the connection to engine {label} broke: {why}", sent=True
        ) from error


@asynccontextmanager
async def _closing(response: httpx.Response) -> AsyncIterator["_Body"]:
    """The body of *response*; its connection is closed where the body was not read to its end."""
    try:
        yield response.extensions["body"]
    finally:
        with trio.move_on_after(_CLEANUP_SECONDS, shield=True):
            await response.aclose()


class Lines:
    """A body cut at its newlines; blank lines are left out.

    Args:
        pieces: the body.
        label: the engine, for errors.
    """

    def __init__(self, pieces: AsyncIterator[bytes], label: str) -> None:
        self._pieces = pieces
        self._label = label
        self._rest = b""
        self._lines: list[bytes] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next line, without its newline.

        Raises:
            EngineError: a line is longer than 1 MiB.
            EngineUnreachable: the connection broke; a stream that the engine ended just ends.
        """
        while not self._lines:
            with _translated(self._label):
                piece = await anext(self._pieces)
            *whole, self._rest = (self._rest + piece).split(b"\n")
            self._lines = [line for line in reversed(whole) if line.strip()]
            if max(map(len, [self._rest, *self._lines])) > _LINE_LIMIT:
                raise EngineError(self._label, f"engine {self._label} sent a line over 1 MiB")
        return self._lines.pop()


class _Transport(httpx.AsyncBaseTransport):
    """httpx over a pool whose connections our dialer makes."""

    def __init__(self, backend: "_Backend") -> None:
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=None,  # the caller counts
            max_keepalive_connections=_IDLE_CONNECTIONS,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        extensions = dict(request.extensions)
        target = extensions.pop("target")
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme="http", host="docker", port=80, target=target),
                headers=request.headers.raw,
                content=_Content(request.content),
                extensions=extensions,
            )
        )
        body = _Body(answer.stream)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=body, extensions={"body": body}
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


def _ask_before_sending(permit: Callable[[], None]) -> Callable[[str, object], Awaitable[None]]:
    """Asks *permit* at the one moment that httpcore tells of and we cannot see."""

    async def trace(name: str, info: object) -> None:
        if name == "http11.send_request_headers.started":
            permit()

    return trace


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
    """An answer's body, which may be left before its end.

    httpcore reads it by generators within generators, and trio complains of each that is left half
    way.  So the connection is closed first, and then they are driven to their end.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._pieces: AsyncIterator[bytes] = aiter(stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        await self._stream.aclose()
        with suppress(httpcore.NetworkError, httpcore.ProtocolError):
            async for _ in self._pieces:
                pass  # what had arrived


class _Backend(httpcore.AsyncNetworkBackend):
    """Makes connections by the dialer, whatever host is asked for."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self.generation = 0

    def distrust(self) -> None:
        """One kept connection was dead, so the others may be: use none of them again."""
        self.generation += 1

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        return _NetworkStream(await self._dialer.dial(), self)

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _NetworkStream(httpcore.AsyncNetworkStream):
    """A trio stream as httpcore wants it."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, backend: _Backend) -> None:
        self._stream = stream
        self._backend = backend
        self._generation = backend.generation

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
        if info == "is_readable":  # asked before a kept connection is used: readable means closed
            return self._generation != self._backend.generation or is_readable(self._stream)
        return None
