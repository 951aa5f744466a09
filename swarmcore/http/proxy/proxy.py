"""Forwards a client's request to an engine or to another manager, as streams."""

import logging
from collections.abc import Callable
from typing import Protocol

from swarmcore.errors import EngineUnreachable
from swarmcore.http.client import HTTPClient
from swarmcore.http.client.call import Head
from swarmcore.http.messages import Headers
from swarmcore.http.proxy.passage import Passage, Pieces
from swarmcore.http.response_hooks import NO_HOOKS, ResponseHooks
from swarmcore.http.routing import origin_form
from swarmcore.http.server import ServerExchange
from swarmcore.versions import ApiVersion, clamp

log = logging.getLogger(__name__)


class ApiRange(Protocol):
    """The range of API versions that an engine accepts."""

    @property
    def min_api_version(self) -> ApiVersion:
        """The oldest version."""
        ...

    @property
    def api_version(self) -> ApiVersion:
        """The newest version."""
        ...


class Relayable(Protocol):
    """An engine as the proxy uses it."""

    @property
    def node(self) -> ApiRange:
        """Has the API versions that the engine accepts."""
        ...

    @property
    def http(self) -> HTTPClient:
        """Sends requests to the engine."""
        ...

    def contacted(self) -> None:
        """The engine answered."""
        ...

    def lost_contact(self, error: EngineUnreachable) -> None:
        """The engine did not answer, or the connection broke."""
        ...


async def relay(
    exchange: ServerExchange,
    engine: Relayable,
    path: str,
    *,
    announced: ApiVersion,
    body: bytes | None = None,
    hooks: ResponseHooks = NO_HOOKS,
    pieces: Pieces | None = None,
) -> int:
    """Forward *exchange* to *engine*; other arguments as for ``protocols.Exchange.relay``.

    Args:
        announced: this manager's API version, used for a request without a version.

    Raises:
        EngineUnreachable: the engine failed before anything was sent to the client.
        ClientGone: the client disconnected; the engine's connection has been closed.
    """
    node = engine.node
    version = clamp(exchange.request.version or announced, node.min_api_version, node.api_version)
    passage = Passage(
        exchange, engine.http, engine.contacted, f"{announced}".encode(), hooks, pieces
    )
    try:
        return await passage.run(f"/v{version}{path}", body)
    except EngineUnreachable as error:
        engine.lost_contact(error)
        if not exchange.started:
            raise
        log.warning("%s %s cut off: %s", exchange.request.method, exchange.request.path, error)
        await passage.end_early(str(error))
        return passage.status


async def forward(
    exchange: ServerExchange,
    client: HTTPClient,
    added: Headers,
    *,
    announced: ApiVersion,
    inspect: Callable[[Head], None],
) -> None:
    """Forward *exchange* unchanged to another manager, and its answer to the client.

    Args:
        exchange: the client's request.
        client: the client of the other manager.
        added: headers to add to the request.
        announced: this manager's API version.
        inspect: called with the head of the answer before anything is sent to the client; may
            raise.

    Raises:
        EngineUnreachable: the manager failed before anything was sent to the client.
        SwarmError: raised by *inspect*; nothing was sent to the client.
        ClientGone: the client disconnected; the other manager's connection has been closed.
    """
    request = exchange.request
    passage = Passage(exchange, client, lambda: None, f"{announced}".encode(), inspect=inspect)
    try:
        await passage.run(origin_form(request.target), None, added)
    except EngineUnreachable as error:
        if not exchange.started:
            raise
        log.warning("%s %s cut off: %s", request.method, request.path, error)
