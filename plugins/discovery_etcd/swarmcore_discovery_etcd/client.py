"""etcd's v3 API through its JSON gateway: keys and values in base64, 64-bit numbers as texts.

Fields with the value zero or empty are missing in answers.  See "gRPC gateway" in etcd's manual.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import trio

from swarmcore.addresses import Address
from swarmcore.stores import Location, StoreError
from swarmcore.stores.http import StoreClient, StoreReply, read_json
from swarmcore_discovery_etcd.login import Login, is_stale


class Gateway:
    """One etcd cluster.

    Args:
        location: its servers, tried in turn beginning with the last one that worked; and TLS files.
        login: for an etcd with users.
    """

    def __init__(self, location: Location, login: Login | None = None) -> None:
        scheme = "https" if location.tls else "http"
        self._servers = [_Server(scheme, address, location) for address in location.servers]
        self._login = login
        self._token = ""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep connections open between calls, until the context ends."""
        async with AsyncExitStack() as stack:
            for server in self._servers.copy():
                await stack.enter_async_context(server.client.connected())
            yield

    async def call(self, method: str, **fields: Any) -> dict[str, Any]:
        """Call a method on the first server that answers.

        Args:
            method: path of the method, such as ``kv/range``.
            fields: fields of the request.

        Raises:
            StoreError: no server succeeded; has the reason of the last one.
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
        """Call a method on the first server; with users, get a valid token before."""
        if self._login is not None and not self._token:
            await self._authenticate(self._login)
        try:
            return await self._servers[0].ask(method, fields, self._headers())
        except StoreError as error:
            if self._login is None or not is_stale(str(error)):
                raise
        await self._authenticate(self._login)
        return await self._servers[0].ask(method, fields, self._headers())

    async def _authenticate(self, login: Login) -> None:
        self._token = ""
        answer = await self._servers[0].ask("auth/authenticate", await login.document(), {})
        self._token = str(answer.get("token", ""))

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self._token} if self._token else {}

    async def watch(
        self, first: str, end: str, revision: int, signals: trio.MemorySendChannel[None]
    ) -> None:
        """Send to *signals* after each change of the keys from *first* to *end*, until it fails.

        Args:
            first, end: the range, encoded; an empty *end* stands for the single key *first*.
            revision: the first revision that counts.
            signals: a channel for one signal, which may stand for several changes.

        Raises:
            StoreError: always, at the end; the keys must then be read again.
        """

        def take(line: bytes) -> None:
            result = _result(read_json(line))
            if result.get("canceled"):
                raise StoreError("etcd: the watch was cancelled; the store is read again")
            if result.get("events"):
                with suppress(trio.WouldBlock):
                    signals.send_nowait(None)

        request = {"key": first, "start_revision": str(revision)}
        if end:
            request["range_end"] = end
        await self._servers[0].stream("watch", take, {"create_request": request}, self._headers())
        raise StoreError("etcd: the watch ended; the store is read again")


class _Server:
    """One server of the cluster.

    Args:
        scheme: ``http`` or ``https``.
        address: the server's address.
        location: has the TLS files.
    """

    def __init__(self, scheme: str, address: Address, location: Location) -> None:
        self._name = f"etcd {address.hostport}"
        base = f"{scheme}://{address.hostport}/v3/"
        json_headers = {"Content-Type": "application/json"}
        self.client = StoreClient(base, location.tls, json_headers, name=self._name)

    async def ask(
        self, method: str, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """Call a method and return its document; a refusal is a ``StoreError``."""
        reply = await self.client.ask("POST", method, body=_encoded(fields), headers=headers)
        self._check(reply)
        try:
            document = reply.json()
        except ValueError as error:
            raise StoreError(f"{self._name}: {error}") from None
        if not isinstance(document, dict):
            raise StoreError(f"{self._name}: it sent an answer that is not a JSON object")
        return document

    async def stream(
        self,
        method: str,
        take: Callable[[bytes], None],
        fields: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> None:
        """Pass each line of an endless answer to *take*; return when the server ends it."""
        refusal = await self.client.stream(
            "POST", method, take, body=_encoded(fields), headers=headers
        )
        if refusal is not None:
            self._check(refusal)

    def _check(self, reply: StoreReply) -> None:
        if reply.status != 200:
            raise StoreError(f"{self._name}: {_refusal(reply)}")


def _encoded(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(fields)).encode()


def _result(line: Any) -> dict[str, Any]:
    """The result in one line of a stream; 3.4 and 3.5 report failures in different places."""
    if not isinstance(line, dict) or not isinstance(line.get("result"), dict):
        error = line.get("error", line) if isinstance(line, dict) else line
        message = error.get("message", error) if isinstance(error, dict) else error
        raise ValueError(f"the stream ended: {message}")
    result: dict[str, Any] = line["result"]
    return result


def _refusal(reply: StoreReply) -> str:
    text = reply.text
    with suppress(ValueError, KeyError, TypeError):  # some errors are plain text
        text = str(reply.json()["error"])
    if "CommonName of client sending a request against gateway" in text:
        return (
            "it refuses client certificates with a common name at its gateway: use a certificate "
            "without one, or start etcd without --client-cert-auth"
        )
    if "user name is empty" in text:
        return "it requires a user: give --discovery-opt etcd.user=NAME and etcd.passwordfile=FILE"
    if reply.status == 404:
        return (
            "it has no API v3 at this address: use etcd 3.4 or newer, with its gRPC gateway "
            "(--enable-grpc-gateway)"
        )
    return f"status {reply.status}: {text[:200]}"


def encode(text: str) -> str:
    """Encode a key or value for the gateway."""
    return b64encode(text.encode()).decode()


def decode(text: str) -> str:
    """Decode a key or value of the gateway."""
    return b64decode(text).decode(errors="replace")


def prefix_end(prefix: str) -> str:
    """The end of the range of keys that begin with *prefix*, encoded."""
    raw = prefix.encode()
    return b64encode(raw[:-1] + bytes([raw[-1] + 1])).decode()
