"""What handlers share: paths for engines, answers for clients, the container of a path."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from swarmcore.config.folding import with_known_spelling
from swarmcore.errors import BadRequest, EngineError
from swarmcore.messages import Answer, Headers, find_header
from swarmcore.model import Container
from swarmcore.protocols import Engine, Exchange
from swarmcore.versions import ApiVersion


def locate_container(exchange: Exchange) -> tuple[Container, Engine]:
    """The container that the path names, and its engine.

    Raises:
        NotFound: no such container.
        BadRequest: a prefix of several.
        Unavailable: its engine does not answer.
    """
    container = exchange.cluster.find_container(exchange.request.params["name"])
    return container, exchange.cluster.engine_of(container)


def engine_path(exchange: Exchange, *segments: str) -> str:
    """A path for an engine: *segments*, then the client's query exactly as it was sent."""
    path = "".join(f"/{quote(segment, safe='/:@')}" for segment in segments)
    query = exchange.request.target.partition("?")[2]
    return f"{path}?{query}" if query else path


async def relay_unknown(exchange: Exchange, *segments: str) -> None:
    """Have some engine answer a request for what the cluster does not have.

    What engines read first, a body say, they refuse first, in words of their own.

    Args:
        exchange: the request.
        segments: of the path, in the client's words.
    """
    engine = exchange.cluster.healthy_engines()[0]
    await exchange.relay(engine, engine_path(exchange, *segments))


def version_of(exchange: Exchange) -> ApiVersion:
    """The client's API version; a path without one means what is announced."""
    return exchange.request.version or exchange.cluster.api_version


def client_answer(answer: Answer) -> Answer:
    """An engine's answer without the headers that speak of the engine and its connection."""
    kind = find_header(answer.headers, b"content-type") or b"application/json"
    return Answer(answer.status, ((b"Content-Type", kind),), answer.body)


async def read_object(exchange: Exchange, *known: str) -> dict[str, Any]:
    body = await exchange.read_json()
    if not isinstance(body, dict):
        raise BadRequest("the request needs a body: a JSON object")
    return with_known_spelling(body, known)


#: What a registry, or the log of an engine, wants to know of the client.
_FORWARDED = (b"x-registry-auth", b"user-agent")


def client_headers(exchange: Exchange) -> Headers:
    """What a registry is told of the client: its credentials, its name, ``X-Meta-*``."""
    return tuple(
        (key, value)
        for key, value in exchange.request.headers
        if key.lower() in _FORWARDED or key.lower().startswith(b"x-meta-")
    )


async def refresh_quietly(refresh: Callable[[], Awaitable[None]]) -> None:
    """Bring the cache of an engine up to date after a change that it has made.

    A failure is ignored: the engine's own event about the change has the cache read again.

    Args:
        refresh: ``engine.refresh_networks``, say.
    """
    with suppress(EngineError):
        await refresh()
