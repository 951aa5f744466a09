"""Requests about one container, relayed to its engine.

The container's full id replaces its name in paths, because an engine knows neither ``node/name``
nor an id of the swarm.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext

from swarmcore.container_config.references import find_container, has_network, network_words
from swarmcore.errors import BadRequest, NotFound
from swarmcore.http.messages import Headers
from swarmcore.model import Container
from swarmcore.protocols import (
    Engine,
    ErrorTail,
    Exchange,
    Handler,
    Placing,
    ResponseHooks,
    Route,
)
from swarmcore_api_docker.compat.media_types import output_type_mapper
from swarmcore_api_docker.compat.stream_errors import OutputErrorTail, WaitErrorTail
from swarmcore_api_docker.compat.version_gates import needs_of_verb, require_heeded
from swarmcore_api_docker.requests import (
    client_answer,
    engine_path,
    holding_container,
    locate_container,
    relay_unknown,
    version_of,
)
from swarmcore_api_docker.route_notes import CONTAINER

#: Updates the cache when the engine has answered with this status.
_Refresh = Callable[[int], Awaitable[None]]
#: Makes the refresh before the engine is asked, so that it does not miss the engine's event.
_MakeRefresh = Callable[[Exchange, Engine, Container], _Refresh]
#: Method -> verbs (the path after the id) that change nothing in ``docker ps``.
_READS = {
    "GET": ("top", "logs", "changes", "export", "stats", "archive", "attach/ws", "checkpoints"),
    "HEAD": ("archive",),
    "PUT": ("archive",),
    "POST": ("attach", "resize", "checkpoints"),
}
_RENAME = "the name must be free in the cluster"
_CHECKPOINT = "/containers/{name}/checkpoints/{checkpoint}"
#: Verbs that change a container -> the engine's event after the change.  A kill has no such event:
#: its event comes before the effect of the signal.
_CHANGES: Mapping[str, Sequence[str]] = {
    "start": ("start",),
    "stop": ("stop",),
    "restart": ("restart",),
    "kill": (),
    "pause": ("pause",),
    "unpause": ("unpause",),
}
#: Verbs that start a container; operators can limit how many starts run at once on an engine.
_STARTS = ("start", "restart")
#: Verbs whose body, or numbers in the query, engines read before they look for the container.
_READ_FIRST = ("resize", "update", "checkpoints")
#: Verbs whose answer has a media type that says whether the output is framed.
_OUTPUTS = ("logs", "attach")


def routes() -> list[Route]:
    """Return the routes of renaming, removing, and every verb that the container's engine does."""
    found = [
        Route("POST", "/containers/{name}/rename", rename, routed=CONTAINER, rewrites=_RENAME),
        Route("DELETE", "/containers/{name}", remove, routed=CONTAINER),
        Route("DELETE", _CHECKPOINT, remove_checkpoint, routed=CONTAINER),
    ]
    for method, verbs in _READS.items():
        found += [_route(method, verb) for verb in verbs]
    found += [_route("POST", verb, _after_event(*events)) for verb, events in _CHANGES.items()]
    return [*found, _route("POST", "wait", _after_wait)]


def _route(method: str, verb: str, make_refresh: _MakeRefresh | None = None) -> Route:
    handler = _relay_verb(verb, make_refresh)
    return Route(method, f"/containers/{{name}}/{verb}", handler, routed=CONTAINER)


def _after_event(*events: str) -> _MakeRefresh:
    """Update the cache with a change before the client can ask for it; see ``Engine.settling``."""
    return lambda exchange, engine, container: engine.settling(container.id, *events)


def _after_wait(exchange: Exchange, engine: Engine, container: Container) -> _Refresh:
    """Update the cache: the container ended, or was removed with its anonymous volumes."""
    condition = exchange.request.query.get("condition")
    if condition != "removed":
        will_end = container.running or condition == "next-exit"
        return engine.settling(container.id, *(("die", "destroy") if will_end else ()))
    shown = engine.settling(container.id, "destroy")

    async def refresh(status: int) -> None:
        await shown(status)
        if _mounts_volumes(container):
            await engine.refresh_volumes()

    return refresh


def _mounts_volumes(container: Container) -> bool:
    mounts = container.detail.get("Mounts") or ()
    return any(mount.get("Type") == "volume" for mount in mounts)


def _relay_verb(verb: str, make_refresh: _MakeRefresh | None = None) -> Handler:
    """Return a handler that relays the request to the container's engine.

    Args:
        verb: the path after the id.
        make_refresh: makes the function that updates the cache; ``None`` for a verb that only
            reads.
    """

    async def relay(exchange: Exchange) -> None:
        if verb in _CHANGES:
            async with holding_container(exchange) as (container, engine):
                await relay_to(exchange, container, engine)
            return
        try:
            container, engine = locate_container(exchange)
        except NotFound:
            if exchange.request.method != "POST" or verb not in _READ_FIRST:
                raise
            await relay_unknown(exchange, "containers", exchange.request.params["name"], verb)
            return
        await relay_to(exchange, container, engine)

    async def relay_to(exchange: Exchange, container: Container, engine: Engine) -> None:
        require_heeded(engine, needs_of_verb(verb, exchange.request.query, version_of(exchange)))
        starts = verb in _STARTS
        async with (
            _ready_to_start(exchange.cluster, container, engine) if starts else nullcontext()
        ):
            await exchange.relay(
                engine,
                engine_path(exchange, "containers", container.id, verb),
                hooks=_hooks(verb, exchange, container, engine, make_refresh),
            )

    return relay


def _hooks(
    verb: str,
    exchange: Exchange,
    container: Container,
    engine: Engine,
    make_refresh: _MakeRefresh | None,
) -> ResponseHooks:
    return ResponseHooks(
        on_status=make_refresh(exchange, engine, container) if make_refresh else None,
        map_headers=_output_type(exchange, engine, container) if verb in _OUTPUTS else None,
        on_engine_lost=_error_tail(verb, exchange, container),
    )


def _has_terminal(container: Container) -> bool:
    return bool((container.detail.get("Config") or {}).get("Tty"))


def _output_type(
    exchange: Exchange, engine: Engine, container: Container
) -> Callable[[Headers], Headers] | None:
    terminal = _has_terminal(container)
    return output_type_mapper(version_of(exchange), engine.node.api_version, terminal=terminal)


def _error_tail(verb: str, exchange: Exchange, container: Container) -> ErrorTail | None:
    """Return how the stream of *verb* reports a lost engine; most streams can only be cut off."""
    if verb == "wait":
        return WaitErrorTail(exchange.request.query.get("condition"))
    if verb == "logs" and not _has_terminal(container):
        return OutputErrorTail()
    return None


async def rename(exchange: Exchange) -> None:
    """``POST /containers/{name}/rename``: the name must be free in the whole cluster."""
    name = exchange.request.query.get("name").removeprefix("/")
    if not name:
        raise BadRequest("Neither old nor new names may be empty")
    async with holding_container(exchange) as (container, _):
        answer = await exchange.cluster.rename_container(container, name, exchange.request)
    await exchange.send(client_answer(answer))


async def remove_checkpoint(exchange: Exchange) -> None:
    """``DELETE /containers/{name}/checkpoints/{checkpoint}``."""
    container, engine = locate_container(exchange)
    checkpoint = exchange.request.params["checkpoint"]
    path = engine_path(exchange, "containers", container.id, "checkpoints", checkpoint)
    await exchange.relay(engine, path)


async def remove(exchange: Exchange) -> None:
    """``DELETE /containers/{name}``; with ``link`` it removes only the link of that name."""
    async with holding_container(exchange) as (container, engine):
        if exchange.request.query.flag("link"):
            await _remove_link(exchange, container, engine)
        else:
            await _remove(exchange, container, engine)


async def _remove(exchange: Exchange, container: Container, engine: Engine) -> None:
    async def forget(status: int) -> None:
        if status not in (204, 404):
            await engine.refresh_container(container.id)
            return
        engine.forget_container(container.id)
        if exchange.request.query.flag("v") and _mounts_volumes(container):
            await engine.refresh_volumes()

    path = engine_path(exchange, "containers", container.id)
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=forget))


async def _remove_link(exchange: Exchange, linked: Container, engine: Engine) -> None:
    """Remove the link that the path names, and read the containers at both of its ends again."""
    alias = _link_name(exchange.request.params["name"], engine.node.name)
    linking = find_container(engine.node, alias.partition("/")[0])

    async def refresh(status: int) -> None:
        for each in filter(None, (linking, linked)):
            await engine.refresh_container(each.id)

    path = engine_path(exchange, "containers", alias)
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=refresh))


def _link_name(text: str, node_name: str) -> str:
    """Return a link's name as its engine knows it, ``web/db``: without a leading slash or node."""
    return text.removeprefix("/").removeprefix(f"{node_name}/")


@asynccontextmanager
async def _ready_to_start(
    cluster: Placing, container: Container, engine: Engine
) -> AsyncIterator[None]:
    """Wait until the engine may start another container and has the container's networks.

    A network of the container may have moved to another node since the container was created.
    """
    words = network_words(container)
    missing = [word for word in words if not has_network(engine.node, word)]
    bringing = cluster.bringing(missing, engine) if missing else nullcontext()
    async with bringing, cluster.turn(engine):
        yield
