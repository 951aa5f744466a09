"""One HTTP client for everything that is kept at another server: stores, hubs, lists.

Deadlines, limits and the translation of errors are here, so that a plugin writes only what its
store's paths and documents mean.
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
from swarmcore.stores.following import StoreError

_MiB = 1024 * 1024

#: More than one idle connection would only mean more that have to time out, one after another, when
#: the network in between has forgotten them.
_IDLE = httpx.Limits(max_keepalive_connections=1, keepalive_expiry=30.0)


@dataclass(frozen=True, slots=True)
class StoreReply:
    """A whole answer.

    Attributes:
        status: of HTTP.
        headers: by name in lower case.
        body: as it was sent, without the content's encoding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body for a message, without white space around it; what is not UTF-8 is marked."""
        return self.body.decode(errors="replace").strip()

    def json(self) -> Any:
        """The body, read as JSON.

        Raises:
            ValueError: it is no JSON, or nested too deeply.
        """
        return read_json(self.body)


class StoreClient:
    """Asks one server.

    Args:
        base: URL that stands before every path, ``https://host:2379/v3``.
        tls: the server's CA and our key pair; ``None``: the system's CAs where the base is https.
        headers: sent with every request.
        name: of the server in errors; *base* when it is empty.
        answer_seconds: in which a whole answer must be there, or the head of a stream.
        largest_bytes: of a whole answer, or of one line of a stream.

    Raises:
        ConfigError: a file of TLS cannot be read or used.
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

        Without it each request opens a connection of its own, which suits what asks once a minute.
        """
        if self._kept is not None:  # somebody else's context, who closes it
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
        """Ask, and read the whole answer.

        Args:
            method: of HTTP.
            path: below the base, as it goes on the wire.
            query: parameters; ``None`` keeps those that *path* has.
            body: of the request.
            headers: beside the client's, or instead of those with the same names.
            wait_seconds: how long the server may hold the answer back, on top of the usual time.

        Returns:
            The answer, whatever its status.

        Raises:
            StoreError: there is no whole answer in time, or it is too long.
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
        """Ask, and take the answer line by line as it comes.

        Args:
            method, path, body, headers: see ``ask``.
            take: gets each line that is not empty; what it raises ends the stream, a
                ``ValueError`` as a ``StoreError`` with the server's name.

        Returns:
            ``None`` when the server has ended the stream; the whole answer, and no line taken, when
            its status is not 200.

        Raises:
            StoreError: no head in time, a line is too long, or the connection broke.
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
        """Give a request *seconds*, and raise what goes wrong in it as ``StoreError``."""
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
        """The head of the answer, on the connection that is kept or on one of its own."""
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
            timeout=None,  # httpx would count from byte to byte; ours is for the whole request
            trust_env=False,  # no proxy of the environment: a store is asked directly
        )


def read_json(text: bytes) -> Any:
    """Read JSON of a server that may be broken.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None


def store_context(tls: TLSFiles | None, *, secure: bool) -> ssl.SSLContext:
    """The rules for TLS to a store.

    Args:
        tls: the server's CA and our key pair.
        secure: whether TLS is spoken also without *tls*, with the system's CAs.

    Raises:
        ConfigError: a file cannot be read or used.
    """
    if tls is not None or secure:
        return client_context(tls or TLSFiles())
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used, and quick to make
