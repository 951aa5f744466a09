"""A running manager, asked over its API."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from swarmcore.addresses import Address
from swarmcore.errors import EngineUnreachable, SwarmError
from swarmcore.http.client import Dialer, HTTPClient
from swarmcore.http.messages import Answer, Headers, dump_json

_JSON: Headers = ((b"Content-Type", b"application/json"),)


class NoAnswer(SwarmError):
    """Nothing answers where the manager should be."""


class RemoteManager:
    """Asks one manager.

    Args:
        address: where it listens.
        tls: how to secure TCP connections; ``None`` for plain ones.
    """

    def __init__(self, address: Address, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._client = HTTPClient(Dialer(address, tls), kind="manager")

    async def send(self, method: str, target: str, body: bytes | None = None) -> Answer:
        """One request as it is; the answer, whatever its status.

        Args:
            method: upper case.
            target: path and query, percent-encoded.
            body: JSON.

        Raises:
            NoAnswer: there is none.
        """
        headers = _JSON if body is not None else ()
        try:
            return await self._client.request(method, target, body=body, headers=headers)
        except EngineUnreachable as error:
            raise NoAnswer(
                f"no answer from a manager at {self._address}: {error}; say where one listens with"
                " --host or DOCKER_HOST"
            ) from error

    async def ask(self, method: str, target: str, value: Any = None) -> Any:
        """One request that must succeed; its JSON.

        Args:
            method: upper case.
            target: path and query, percent-encoded.
            value: the body before it becomes JSON; ``None`` sends none.

        Raises:
            NoAnswer: there is none.
            SwarmError: an error, or what answers is no manager with these routes.
        """
        answer = await self.send(method, target, None if value is None else dump_json(value))
        return read_answer(answer, str(self._address))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def read_answer(answer: Answer, where: str) -> Any:
    """The JSON of an answer that is no error.

    Args:
        answer: a manager's.
        where: its address, for errors.

    Raises:
        SwarmError: it is an error; the manager's own text.
    """
    if answer.status == 404 and answer.message == "page not found":
        raise SwarmError(
            f"what listens at {where} is not a swarmcore manager with the plugins api_docker and"
            " api_operations; name a manager with --host"
        )
    if not answer.ok:
        raise SwarmError(answer.message)
    try:
        return answer.json()
    except json.JSONDecodeError as error:
        raise SwarmError(f"{where} answered something that is not JSON: {error}") from error


@asynccontextmanager
async def open_manager(
    address: Address, tls: ssl.SSLContext | None
) -> AsyncIterator[RemoteManager]:
    """A manager to ask while the block lasts."""
    manager = RemoteManager(address, tls)
    try:
        yield manager
    finally:
        await manager.aclose()
