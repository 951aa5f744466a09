"""A running manager, asked through its API."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from swarmcore.addresses import Address
from swarmcore.errors import EngineUnreachable, SwarmError
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json

#: What engines and managers answer to plain HTTP where they want TLS.
_WANTS_TLS = "Client sent an HTTP request to an HTTPS server."


class NoAnswer(SwarmError):
    """No manager answers at the address."""


class RemoteManager:
    """Sends requests to one manager.

    Args:
        address: the manager's address.
        tls: the TLS context for TCP connections; ``None`` for plain ones.
    """

    def __init__(self, address: Address, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._client = HTTPClient(Dialer(address, tls), kind="manager")

    async def send(self, method: str, target: str, body: bytes | None = None) -> Answer:
        """Send one request; return the answer, whatever its status.

        Args:
            method: upper case.
            target: path and query, percent-encoded.
            body: JSON.

        Raises:
            NoAnswer: there is no answer.
        """
        # Routes that change something require this header, even without a body.
        headers = () if method in ("GET", "HEAD") else JSON_HEADERS
        try:
            return await self._client.request(method, target, body=body, headers=headers)
        except EngineUnreachable as error:
            raise NoAnswer(
                f"no answer from a manager at {self._address}: {error}; give the address of a"
                " running manager with --host or in DOCKER_HOST"
            ) from error

    async def ask(self, method: str, target: str, value: Any = None) -> Any:
        """Send one request that must succeed; return its JSON.

        Args:
            method: upper case.
            target: path and query, percent-encoded.
            value: sent as JSON; ``None`` sends no body.

        Raises:
            NoAnswer: there is no answer.
            SwarmError: an error, or the answer is not from a manager with these routes.
        """
        answer = await self.send(method, target, None if value is None else dump_json(value))
        return read_answer(answer, str(self._address))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def read_answer(answer: Answer, where: str) -> Any:
    """The JSON of a successful answer.

    Args:
        answer: a manager's answer.
        where: its address, for errors.

    Raises:
        SwarmError: the answer is an error; has the manager's text.
    """
    if answer.message == _WANTS_TLS:
        raise SwarmError(f"the manager at {where} wants TLS; use --tlsverify, or --tls")
    document = _json_of(answer)
    if document is None or (answer.status == 404 and answer.message == "page not found"):
        raise SwarmError(
            f"the server at {where} is not a swarmcore manager with the plugins api_docker and"
            " api_operations; name a manager with --host"
        )
    if not answer.ok:
        raise SwarmError(answer.message)
    return document


def _json_of(answer: Answer) -> Any:
    """The JSON of an answer; ``None`` if it has none."""
    try:
        return answer.json()
    except json.JSONDecodeError:
        return None


@asynccontextmanager
async def open_manager(
    address: Address, tls: ssl.SSLContext | None
) -> AsyncIterator[RemoteManager]:
    """Connect to a manager while the block runs."""
    manager = RemoteManager(address, tls)
    try:
        yield manager
    finally:
        await manager.aclose()
