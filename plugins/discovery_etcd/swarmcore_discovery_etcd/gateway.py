"""etcd's v3 API through its JSON gateway: keys and values in base64, 64-bit numbers as texts.

A field that is zero or empty is missing in an answer.  See etcd's manual, "gRPC gateway".
"""

import json
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import trio

from swarmcore.addresses import Address
from swarmcore.errors import reason_of
from swarmcore.stores import StoreError
from swarmcore_discovery_etcd.login import Login, is_stale

_ANSWER_SECONDS = 5.0

#: A list of every host of a /16 with labels is a tenth of it.
_LARGEST_BYTES = 64 * 1024 * 1024


class Gateway:
    """One etcd cluster.

    Args:
        servers: tried in turn, the last good one first.
        context: for TLS.
        secure: whether to speak TLS.
        login: for an etcd with users.
    """

    def __init__(
        self,
        servers: Sequence[Address],
        context: ssl.SSLContext,
        *,
        secure: bool,
        login: Login | None = None,
    ) -> None:
        self._servers = list(servers)
        self._context = context
        self._scheme = "https" if secure else "http"
        self._login = login
        self._token = ""

    async def call(self, method: str, **fields: Any) -> dict[str, Any]:
        """Call a method, on the first server that answers.

        Args:
            method: its path, as ``kv/range``.
            fields: the request.

        Raises:
            StoreError: no server did it; the last one's reason.
        """
        for left in range(len(self._servers) - 1, -1, -1):
            try:
                return await self._ask(method, fields)
            except StoreError:
                if not left:
                    raise
                self._servers.append(self._servers.pop(0))
        raise AssertionError("a location has a server")

    async def _ask(self, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method on the first server; where there are users, with a token that is good."""
        if self._login is not None and not self._token:
            await self._authenticate(self._login)
        try:
            return await self._read(method, fields)
        except StoreError as error:
            if self._login is None or not is_stale(str(error)):
                raise
        await self._authenticate(self._login)
        return await self._read(method, fields)

    async def _authenticate(self, login: Login) -> None:
        self._token = ""
        answer = await self._read("auth/authenticate", await login.document())
        self._token = str(answer.get("token", ""))

    async def _read(self, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        async with self._request(method, fields) as response:
            return await _document(response)

    async def stream(
        self, method: str, take: Callable[[dict[str, Any]], None], **fields: Any
    ) -> None:
        """Call a method whose answer goes on; returns when the server ends it.

        Args:
            method: its path.
            take: gets each result.
            fields: the request.

        Raises:
            StoreError: it failed, at the beginning or later.
        """
        async with self._request(method, fields, seconds=None) as response:
            async for line in response.aiter_lines():
                if line:
                    take(_result(json.loads(line)))

    @asynccontextmanager
    async def _request(
        self, method: str, fields: Mapping[str, Any], seconds: float | None = _ANSWER_SECONDS
    ) -> AsyncIterator[httpx.Response]:
        """The answer's head; errors of the connection, and refusals, as ``StoreError``.

        Args:
            seconds: for the whole of it; ``None``: only the head has a deadline.
        """
        server = self._servers[0].hostport
        limits = httpx.Timeout(_ANSWER_SECONDS, read=seconds)
        try:
            with trio.fail_after(seconds if seconds is not None else float("inf")):
                async with (
                    httpx.AsyncClient(
                        verify=self._context, timeout=limits, trust_env=False
                    ) as client,
                    client.stream(
                        "POST",
                        f"{self._scheme}://{server}/v3/{method}",
                        json=dict(fields),
                        headers={"Authorization": self._token} if self._token else None,
                    ) as response,
                ):
                    if response.status_code != 200:
                        raise StoreError(f"etcd {server}: {await _refusal(response)}")
                    yield response
        except trio.TooSlowError:
            raise StoreError(f"etcd {server}: no answer within {seconds:g} s") from None
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise StoreError(f"etcd {server}: {reason_of(error)}") from None


async def _document(response: httpx.Response) -> dict[str, Any]:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _LARGEST_BYTES:
            raise ValueError(f"an answer of more than {_LARGEST_BYTES} bytes")
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("an answer that is no object")
    return document


def _result(line: Any) -> dict[str, Any]:
    """What a line of a stream says; 3.4 and 3.5 report failure in different places."""
    if not isinstance(line, dict) or not isinstance(line.get("result"), dict):
        error = line.get("error", line) if isinstance(line, dict) else line
        message = error.get("message", error) if isinstance(error, dict) else error
        raise ValueError(f"the stream ended: {message}")
    result: dict[str, Any] = line["result"]
    return result


async def _refusal(response: httpx.Response) -> str:
    text = (await response.aread()).decode(errors="replace").strip()
    with suppress(ValueError, KeyError, TypeError):  # its own errors are plain text
        text = str(json.loads(text)["error"])
    if "CommonName of client sending a request against gateway" in text:
        return (
            "it takes no client certificate with a common name through its gateway; "
            "use one without, or turn --client-cert-auth off"
        )
    if "user name is empty" in text:
        return "it wants a user; give --discovery-opt etcd.user=NAME and etcd.passwordfile=FILE"
    if response.status_code == 404:
        return (
            "it has no /v3 here; etcd 3.4 or newer is needed, with its gRPC gateway "
            "(--enable-grpc-gateway)"
        )
    return f"status {response.status_code}: {text[:200]}"


def encode(text: str) -> str:
    """A key or value as the gateway wants it."""
    return b64encode(text.encode()).decode()


def decode(text: str) -> str:
    """A key or value that the gateway sent."""
    return b64decode(text).decode(errors="replace")


def prefix_end(prefix: str) -> str:
    """The first key behind all that begin with *prefix*, encoded: a range's end."""
    raw = prefix.encode()
    return b64encode(raw[:-1] + bytes([raw[-1] + 1])).decode()
