"""Consul's HTTP API: https://developer.hashicorp.com/consul/api-docs, ``kv`` and ``session``."""

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarmcore.errors import reason_of
from swarmcore.stores import Location, StoreError
from swarmcore.stores.http import StoreClient
from swarmcore.threads import in_thread

#: Consul may answer a blocking query up to a sixteenth later than requested.
_LATE = 17 / 16


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the agent.

    Attributes:
        status: 200, or 404 if that is a valid answer.
        value: the JSON document; ``None`` for a 404.
        index: the index for the next blocking query; 0 if there is none.
    """

    status: int
    value: Any
    index: int


class Agent:
    """One Consul agent.

    Args:
        location: its address, and TLS files.
        token_file: path of a file with an ACL token; empty for none.
    """

    def __init__(self, location: Location, token_file: str = "") -> None:
        base = f"{'https' if location.tls else 'http'}://{location.servers[0].hostport}"
        self._name = f"consul {base}"
        self._client = StoreClient(f"{base}/v1/", location.tls, name=self._name)
        self._token_file = token_file

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Keep a connection open between requests, until the context ends."""
        return self._client.connected()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        text: str | None = None,
        wait_seconds: float = 0,
        **query: str | int,
    ) -> Reply:
        """Send one request.

        Args:
            method: HTTP method.
            path: path below ``/v1/``.
            body: sent as JSON.
            text: sent unchanged.
            wait_seconds: how long the agent may delay the answer.
            query: query parameters.

        Raises:
            StoreError: no answer, or a status other than 200 and 404.
        """
        parameters: dict[str, str | int] = dict(query)
        if wait_seconds:
            parameters["wait"] = f"{wait_seconds:g}s"
        content = text.encode() if text is not None else json.dumps(body).encode() if body else b""
        reply = await self._client.ask(
            method,
            path,
            query=parameters,
            body=content,
            headers=await self._headers(),
            wait_seconds=wait_seconds * _LATE,
        )
        if reply.status not in (200, 404):
            raise StoreError(f"{self._name}: status {reply.status}: {reply.text[:200]}")
        index = reply.headers.get("x-consul-index", "0")
        try:
            value = reply.json() if reply.status == 200 else None
        except ValueError as error:
            raise StoreError(f"{self._name}: {error}") from None
        return Reply(reply.status, value, int(index) if index.isdigit() else 0)

    async def _headers(self) -> Mapping[str, str]:
        if not self._token_file:
            return {}
        try:
            # Abandoned on cancellation, as a hung file system must not keep the manager running.
            text = await in_thread(Path(self._token_file).read_text, abandon_on_cancel=True)
        except (OSError, ValueError) as error:
            raise StoreError(f"{self._name}: {reason_of(error)}") from None
        return {"X-Consul-Token": text.strip()}
