"""Verbs of one container, carried to its engine.

A name in a path is always replaced by the full id, as one segment: an engine knows neither
``node/name`` nor a swarm id.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext

from swarmcore.config.references import find_container, has_network, network_words
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
    locate_container,
    relay_unknown,
    version_of,
)
from swarmcore_api_docker.route_notes import CONTAINER

_Settle = Callable[[int], Awaitable[None]]
#: Prepares what brings the cache up to date, before the engine is asked.
_MakeSettle = Callable[[Exchange, Engine, Container], _Settle]
#: What follows the id in the path, and whether it changes what ``ps`` shows.
_READS = {
    "GET": ("top", "logs", "changes", "export", "stats", "archive", "attach/ws", "checkpoints"),
    "HEAD": ("archive",),
    "PUT": ("archive",),
    "POST": ("attach", "resize", "checkpoints"),
}
_RENAME = "the name must be free in the cluster"
_CHECKPOINT = "/containers/{name}/checkpoints/{checkpoint}"
#: What changes a container, and the engine's event that tells that it is done.  A signal's event
#: comes before what the signal does.
_CHANGES: Mapping[str, Sequence[str]] = {
    "start": ("start",),
    "stop": ("stop",),
    "restart": ("restart",),
    "kill": (),
    "pause": ("pause",),
    "unpause": ("unpause",),
}
#: What an operator may limit for one engine.
_STARTS = ("start", "restart")
#: What engines read before they look for the container: a body, or numbers in the query.
_READ_FIRST = ("resize", "update", "checkpoints")
#: Answers whose media type tells whether they are framed.
_OUTPUTS = ("logs", "attach")


def routes() -> list[Route]:
    """What goes to a container's engine: the verbs, and removal."""
    found = [
        Route("POST", "/containers/{name}/rename", rename, routed=CONTAINER, rewrites=_RENAME),
        Route("DELETE", "/containers/{name}", remove, routed=CONTAINER),
        Route("DELETE", _CHECKPOINT, remove_checkpoint, routed=CONTAINER),
    ]
    for method, verbs in _READS.items():
        found += [_route(method, verb) for verb in verbs]
    found += [_route("POST", verb, _settle_by(events)) for verb, events in _CHANGES.items()]
    return [*found, _route("POST", "wait", _settle_wait)]


def _route(method: str, verb: str, settle: _MakeSettle | None = None) -> Route:
    handler = _carry(verb, settle)
    return Route(method, f"/containers/{{name}}/{verb}", handler, routed=CONTAINER)


def _settle_by(events: Sequence[str]) -> _MakeSettle:
    """The cache shows a change before the client can ask for it; see ``Engine.settling``."""
    return lambda exchange, engine, container: engine.settling(container.id, *events)


def _settle_wait(exchange: Exchange, engine: Engine, container: Container) -> _Settle:
    """The cache shows that the container has ended, or has gone and its own volumes with it."""
    condition = exchange.request.query.get("condition")
    if condition != "removed":
        will_end = container.running or condition == "next-exit"
        return engine.settling(container.id, *(("die", "destroy") if will_end else ()))
    shown = engine.settling(container.id, "destroy")

    async def settle(status: int) -> None:
        await shown(status)
        if _mounts_volumes(container):
            await engine.refresh_volumes()

    return settle


def _mounts_volumes(container: Container) -> bool:
    mounts = container.detail.get("Mounts") or ()
    return any(mount.get("Type") == "volume" for mount in mounts)


def _carry(verb: str, make_settle: _MakeSettle | None = None) -> Handler:
    """A handler that carries the request to the container's engine.

    Args:
        verb: what follows the id in the path.
        make_settle: prepares what brings the cache up to date.
    """

    async def carry(exchange: Exchange) -> None:
        try:
            container, engine = locate_container(exchange)
        except NotFound:
            if exchange.request.method != "POST" or verb not in _READ_FIRST:
                raise
            await relay_unknown(exchange, "containers", exchange.request.params["name"], verb)
            return
        require_heeded(engine, needs_of_verb(verb, exchange.request.query, version_of(exchange)))
        starts = verb in _STARTS
        async with ready_to_start(exchange.cluster, container, engine) if starts else nullcontext():
            await exchange.relay(
                engine,
                engine_path(exchange, "containers", container.id, verb),
                hooks=_hooks(verb, exchange, container, engine, make_settle),
            )

    return carry


def _hooks(
    verb: str,
    exchange: Exchange,
    container: Container,
    engine: Engine,
    make_settle: _MakeSettle | None,
) -> ResponseHooks:
    return ResponseHooks(
        on_status=make_settle(exchange, engine, container) if make_settle else None,
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
    """What the client of a stream is told when the engine is lost; most can only be cut off."""
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
    container, _ = locate_container(exchange)
    answer = await exchange.cluster.rename_container(container, name, exchange.request)
    await exchange.send(client_answer(answer))


async def remove_checkpoint(exchange: Exchange) -> None:
    """``DELETE /containers/{name}/checkpoints/{checkpoint}``."""
    container, engine = locate_container(exchange)
    checkpoint = exchange.request.params["checkpoint"]
    path = engine_path(exchange, "containers", container.id, "checkpoints", checkpoint)
    await exchange.relay(engine, path)


async def remove(exchange: Exchange) -> None:
    """``DELETE /containers/{name}``; with ``link`` it removes that name, not the container."""
    container, engine = locate_container(exchange)
    if exchange.request.query.flag("link"):
        await _remove_link(exchange, container, engine)
        return

    async def settle_removal(status: int) -> None:
        if status not in (204, 404):
            await engine.refresh_container(container.id)
            return
        engine.forget_container(container.id)
        if exchange.request.query.flag("v") and _mounts_volumes(container):
            await engine.refresh_volumes()

    path = engine_path(exchange, "containers", container.id)
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=settle_removal))


async def _remove_link(exchange: Exchange, linked: Container, engine: Engine) -> None:
    """Take the alias in the path from *linked*; both ends of the link are read anew."""
    alias = _link_name(exchange.request.params["name"], engine.node.name)
    linking = find_container(engine.node, alias.partition("/")[0])

    async def settle(status: int) -> None:
        for each in filter(None, (linking, linked)):
            await engine.refresh_container(each.id)

    path = engine_path(exchange, "containers", alias)
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=settle))


def _link_name(text: str, node_name: str) -> str:
    """A link's name as its engine knows it: ``web/db``, whatever stood before."""
    return text.removeprefix("/").removeprefix(f"{node_name}/")


@asynccontextmanager
async def ready_to_start(
    cluster: Placing, container: Container, engine: Engine
) -> AsyncIterator[None]:
    """Have its turn, and the networks that were made elsewhere since it was created."""
    words = network_words(container)
    missing = [word for word in words if not has_network(engine.node, word)]
    async with cluster.bringing(missing, engine), cluster.turn(engine):
        yield
