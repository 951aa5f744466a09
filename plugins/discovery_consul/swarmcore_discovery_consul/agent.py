"""Consul's HTTP API: https://developer.hashicorp.com/consul/api-docs, ``kv`` and ``session``."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from swarmcore.errors import reason_of
from swarmcore.stores import StoreError

_ANSWER_SECONDS = 5.0

#: A blocking query is answered up to a sixteenth later than it was to wait.
_LATE = 17 / 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent answered.

    Attributes:
        status: 200, or 404 where that is an answer.
        value: the JSON document; ``None`` of a 404.
        index: for the next blocking query; 0 where there is none.
    """

    status: int
    value: Any
    index: int


class Agent:
    """One Consul agent.

    Args:
        base: ``http://host:port``.
        context: for TLS.
        token_file: path of a file with an ACL token; empty: none is sent.
    """

    def __init__(self, base: str, context: ssl.SSLContext, token_file: str = "") -> None:
        self._base = base
        self._context = context
        self._token_file = token_file

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
        """Ask once.

        Args:
            method: of HTTP.
            path: below ``/v1/``.
            body: sent as JSON.
            text: sent as it is.
            wait_seconds: how long the agent may hold the answer back.
            query: parameters.

        Raises:
            StoreError: no answer, or neither 200 nor 404.
        """
        parameters: dict[str, str | int] = dict(query)
        if wait_seconds:
            parameters["wait"] = f"{wait_seconds:g}s"
        seconds = _ANSWER_SECONDS + wait_seconds * _LATE
        content = text.encode() if text is not None else json.dumps(body).encode() if body else b""
        try:
            with trio.fail_after(seconds):
                async with httpx.AsyncClient(
                    verify=self._context,
                    timeout=httpx.Timeout(_ANSWER_SECONDS, read=seconds),
                    trust_env=False,
                ) as client:
                    response = await client.request(
                        method,
                        f"{self._base}/v1/{path}",
                        params=parameters,
                        content=content,
                        headers=await self._headers(),
                    )
            return _reply(response)
        except trio.TooSlowError:
            raise StoreError(f"consul {self._base}: no answer within {seconds:g} s") from None
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise StoreError(f"consul {self._base}: {reason_of(error)}") from None

    async def _headers(self) -> Mapping[str, str]:
        if not self._token_file:
            return {}
        # Abandoned when cancelled: a hung file system must not keep the manager from stopping.
        text = await trio.to_thread.run_sync(
            Path(self._token_file).read_text, abandon_on_cancel=True
        )
        return {"X-Consul-Token": text.strip()}


def _reply(response: httpx.Response) -> Reply:
    if response.status_code not in (200, 404):
        raise ValueError(f"status {response.status_code}: {response.text.strip()[:200]}")
    index = response.headers.get("X-Consul-Index", "0")
    value = json.loads(response.content) if response.status_code == 200 else None
    return Reply(response.status_code, value, int(index) if index.isdigit() else 0)
