"""What the handlers of all objects share: reading requests, and passing them to engines."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from swarmcore.container_config.normalize import with_known_spelling
from swarmcore.errors import BadRequest, EngineError
from swarmcore.http.messages import Answer, Headers, find_header
from swarmcore.model import Container
from swarmcore.protocols import Engine, Exchange
from swarmcore.versions import ApiVersion

#: Headers for the registry, and for the log of an engine.
_FORWARDED = (b"x-registry-auth", b"user-agent")


def locate_container(exchange: Exchange) -> tuple[Container, Engine]:
    """The container that the path names, and its engine.

    Raises:
        NotFound: there is no such container.
        BadRequest: the path has the beginning of several ids.
        Unavailable: the container's engine does not answer.
    """
    container = exchange.cluster.find_container(exchange.request.params["name"])
    return container, exchange.cluster.engine_of(container)


def engine_path(exchange: Exchange, *segments: str) -> str:
    """A path for an engine: *segments*, percent-encoded, and the client's query as it was sent."""
    path = "".join(f"/{quote(segment, safe='/:@')}" for segment in segments)
    query = exchange.request.target.partition("?")[2]
    return f"{path}?{query}" if query else path


async def relay_unknown(exchange: Exchange, *segments: str) -> None:
    """Have an engine answer a request for an object that the cluster does not have.

    Engines read some things, a body for one, before they look for the object, and refuse those in
    their own words.  So any engine answers as the right one would.

    Args:
        exchange: the client's request.
        segments: the segments of the path, as the client wrote them.

    Raises:
        Unavailable: no engine answers.
    """
    engine = exchange.cluster.healthy_engines()[0]
    await exchange.relay(engine, engine_path(exchange, *segments))


def version_of(exchange: Exchange) -> ApiVersion:
    """The client's API version; a path without one means the version that the manager announces."""
    return exchange.request.version or exchange.cluster.api_version


def client_answer(answer: Answer) -> Answer:
    """An engine's answer for the client: without headers about the engine and its connection."""
    kind = find_header(answer.headers, b"content-type") or b"application/json"
    return Answer(answer.status, ((b"Content-Type", kind),), answer.body)


async def read_object(exchange: Exchange, *known: str) -> dict[str, Any]:
    """The request's body.

    Args:
        exchange: the client's request.
        known: fields that get Docker's spelling: Go ignores the case of keys, handlers do not.

    Raises:
        BadRequest: the body is not a JSON object.
    """
    body = await exchange.read_json()
    if not isinstance(body, dict):
        raise BadRequest("the request needs a body: a JSON object")
    return with_known_spelling(body, known)


def client_headers(exchange: Exchange) -> Headers:
    """The client's headers that go on to a registry: credentials, user agent, ``X-Meta-*``."""
    return tuple(
        (key, value)
        for key, value in exchange.request.headers
        if key.lower() in _FORWARDED or key.lower().startswith(b"x-meta-")
    )


async def refresh_quietly(refresh: Callable[[], Awaitable[None]]) -> None:
    """Bring the cache of an engine up to date after a change that the engine has made.

    A failure is ignored: the engine's event about the change brings the cache up to date as well.

    Args:
        refresh: ``engine.refresh_networks``, say.
    """
    with suppress(EngineError):
        await refresh()
