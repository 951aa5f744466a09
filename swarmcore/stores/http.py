"""The HTTP client for stores, hubs and lists on other servers.

It handles time limits, size limits and errors; a plugin only needs to know the paths and documents
of its store.
"""

import json
import math
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import trio

from swarmcore.errors import reason_of
from swarmcore.http.tls import client_context
from swarmcore.model import TLSFiles
from swarmcore.stores.watching import StoreError

_MiB = 1024 * 1024

#: One idle connection is kept.  More of them would time out one after the other after a network
#: failure.
_IDLE = httpx.Limits(max_keepalive_connections=1, keepalive_expiry=30.0)


@dataclass(frozen=True, slots=True)
class StoreReply:
    """A complete answer.

    Attributes:
        status: HTTP status.
        headers: values by lower-case names.
        body: the body without content encoding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text without surrounding white space; invalid UTF-8 is replaced."""
        return self.body.decode(errors="replace").strip()

    def json(self) -> Any:
        """Parse the body as JSON.

        Raises:
            ValueError: not JSON, or nested too deeply.
        """
        return read_json(self.body)


class StoreClient:
    """Sends requests to one server.

    Args:
        base: URL that precedes every path, such as ``https://host:2379/v3``.
        tls: the server's CA and our key pair; ``None``: the system's CAs if the base is https.
        headers: sent with every request.
        name: name of the server in errors; *base* if empty.
        answer_seconds: time limit of a complete answer, or of the head of a stream.
        largest_bytes: size limit of a complete answer, or of one line of a stream.

    Raises:
        ConfigError: a TLS file cannot be read or used.
    """

    def __init__(
        self,
        base: str,
        tls: TLSFiles | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        name: str = "",
        answer_seconds: float = 5.0,
        largest_bytes: int = 64 * _MiB,
    ) -> None:
        self._base = base
        self._context = store_context(tls, secure=base.startswith("https://"))
        self._headers = dict(headers or {})
        self._name = name or base
        self._answer_seconds = answer_seconds
        self._largest_bytes = largest_bytes
        self._kept: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep a connection open between requests, until the context ends.

        Without it, each request opens a new connection, which suits a request per minute.
        """
        if self._kept is not None:  # an outer context keeps and closes it
            yield
            return
        async with self._open() as client:
            self._kept = client
            try:
                yield
            finally:
                self._kept = None

    async def ask(
        self,
        method: str,
        path: str = "",
        *,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        wait_seconds: float = 0.0,
    ) -> StoreReply:
        """Send a request and read the complete answer.

        Args:
            method: HTTP method.
            path: added to the base URL, percent-encoded.
            query: parameters; ``None`` keeps those in *path*.
            body: body of the request.
            headers: added to the client's headers; override headers of the same name.
            wait_seconds: time that the server may delay the answer, in addition to
                ``answer_seconds``.

        Returns:
            The answer, whatever its status.

        Raises:
            StoreError: no complete answer within the time limit, or it is too large.
        """
        with self._limited(self._answer_seconds + wait_seconds):
            async with self._send(method, path, query, body, headers) as response:
                return await self._read(response)

    async def stream(
        self,
        method: str,
        path: str,
        take: Callable[[bytes], None],
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> StoreReply | None:
        """Send a request and pass the lines of the answer to *take* as they arrive.

        Args:
            method, path, body, headers: see ``ask``.
            take: called with each line that is not empty.  An exception ends the stream; a
                ``ValueError`` becomes a ``StoreError`` with the server's name.

        Returns:
            ``None`` if the server ended the stream; the complete answer if its status is not 200.

        Raises:
            StoreError: no answer within the time limit, a line is too long, or the connection
                broke.
        """
        with self._limited(self._answer_seconds) as scope:
            async with self._send(method, path, None, body, headers) as response:
                if response.status_code != 200:
                    return await self._read(response)
                scope.deadline = math.inf
                await self._take_lines(response, take)
                return None
        raise AssertionError("the scope has raised TooSlowError")

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[trio.CancelScope]:
        """Limit a request to *seconds* and convert its errors to ``StoreError``."""
        try:
            with trio.fail_after(seconds) as scope:
                yield scope
        except trio.TooSlowError:
            raise StoreError(f"{self._name}: no answer within {seconds:g} s") from None
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise StoreError(f"{self._name}: {reason_of(error)}") from None

    async def _take_lines(self, response: httpx.Response, take: Callable[[bytes], None]) -> None:
        rest = b""
        async for chunk in response.aiter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > self._largest_bytes:
                raise ValueError(f"a line of more than {self._largest_bytes} bytes")
            for line in filter(None, lines):
                take(line)
        if rest:
            take(rest)

    async def _read(self, response: httpx.Response) -> StoreReply:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > self._largest_bytes:
                raise ValueError(f"an answer of more than {self._largest_bytes} bytes")
        named = {key.lower(): value for key, value in response.headers.items()}
        return StoreReply(response.status_code, named, bytes(content))

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: bytes,
        headers: Mapping[str, str] | None,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request on the kept connection, or on a new one; yield the answer's head."""
        async with self._client() as client:
            request = client.build_request(
                method,
                self._base + path,
                params=query,
                content=body,
                headers={**self._headers, **(headers or {})},
            )
            response = await client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        if self._kept is not None:
            yield self._kept
            return
        async with self._open() as client:
            yield client

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._context,
            limits=_IDLE,
            timeout=None,  # httpx limits each read; the limit here is for the whole request
            trust_env=False,  # ignore proxies of the environment: stores are asked directly
        )


def read_json(text: bytes) -> Any:
    """Parse JSON that may be malformed.

    Raises:
        ValueError: not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def store_context(tls: TLSFiles | None, *, secure: bool) -> ssl.SSLContext:
    """The TLS context for a store.

    Args:
        tls: the server's CA and our key pair.
        secure: whether TLS is used even if *tls* is ``None``, with the system's CAs.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    if tls is not None or secure:
        return client_context(tls or TLSFiles())
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used for plain HTTP, and cheap to make
