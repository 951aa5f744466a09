"""Functions that the handlers of all objects share: read requests and pass them to engines."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from swarmcore.container_config.normalize import with_known_spelling
from swarmcore.errors import BadRequest, EngineError
from swarmcore.http.messages import Answer, Headers, find_header
from swarmcore.model import Container
from swarmcore.protocols import Engine, Exchange
from swarmcore.versions import ApiVersion

#: Headers that the registry needs, or that the engine writes into its log.
_FORWARDED = (b"x-registry-auth", b"user-agent")


def locate_container(exchange: Exchange) -> tuple[Container, Engine]:
    """Find the container in the path of the request, and its engine.

    Raises:
        NotFound: there is no such container.
        BadRequest: the path has the beginning of several ids.
        Unavailable: the container's engine does not answer.
    """
    container = exchange.cluster.find_container(exchange.request.params["name"])
    return container, exchange.cluster.engine_of(container)


@asynccontextmanager
async def holding_container(exchange: Exchange) -> AsyncIterator[tuple[Container, Engine]]:
    """Find the container in the path, and keep it from being moved while a request changes it.

    A container that is being moved is waited for, and then found on its new engine.

    Raises:
        NotFound, BadRequest, Unavailable: see ``locate_container``.
    """
    moves = exchange.cluster.moves
    while True:
        container, engine = locate_container(exchange)
        if not await moves.wait_ended(container):
            break
    with moves.holding(container):
        yield container, engine


def engine_path(exchange: Exchange, *segments: str) -> str:
    """Return a path for an engine: *segments*, percent-encoded, with the client's query."""
    path = "".join([f"/{_quoted(segment)}" for segment in segments])
    query = exchange.request.target.partition("?")[2]
    return f"{path}?{query}" if query else path


@lru_cache(maxsize=4096)
def _quoted(segment: str) -> str:
    return quote(segment, safe="/:@")


async def relay_unknown(exchange: Exchange, *segments: str) -> None:
    """Let an engine answer a request for an object that the cluster does not have.

    Engines check some parts of a request, such as the body, before they look for the object, and
    answer with Docker's errors.  Any engine gives the same answer here.

    Args:
        exchange: the client's request.
        segments: the segments of the path, as the client wrote them.

    Raises:
        Unavailable: no engine answers.
    """
    engine = exchange.cluster.healthy_engines()[0]
    await exchange.relay(engine, engine_path(exchange, *segments))


def version_of(exchange: Exchange) -> ApiVersion:
    """Return the client's API version; a path without a version means the announced version."""
    return exchange.request.version or exchange.cluster.api_version


def client_answer(answer: Answer) -> Answer:
    """Return an engine's answer for the client, with its ``Content-Type`` as the only header."""
    kind = find_header(answer.headers, b"content-type") or b"application/json"
    return Answer(answer.status, ((b"Content-Type", kind),), answer.body)


async def read_object(exchange: Exchange, *known: str) -> dict[str, Any]:
    """Read the request's body as a JSON object.

    Args:
        exchange: the client's request.
        known: fields that get Docker's spelling, because Go ignores the case of keys and handlers
            do not.

    Raises:
        BadRequest: the body is not a JSON object.
    """
    body = await exchange.read_json()
    if not isinstance(body, dict):
        raise BadRequest("the request needs a body: a JSON object")
    return with_known_spelling(body, known)


def client_headers(exchange: Exchange) -> Headers:
    """Return the client's headers for a registry: credentials, user agent and ``X-Meta-*``."""
    return tuple(
        (key, value)
        for key, value in exchange.request.headers
        if key.lower() in _FORWARDED or key.lower().startswith(b"x-meta-")
    )


async def refresh_quietly(refresh: Callable[[], Awaitable[None]]) -> None:
    """Update the cache of an engine after a change on it.

    A failure is ignored, because the engine's event about the change updates the cache as well.

    Args:
        refresh: for example ``engine.refresh_networks``.
    """
    with suppress(EngineError):
        await refresh()
