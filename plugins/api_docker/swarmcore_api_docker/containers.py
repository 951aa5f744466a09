"""Containers by name: created through the cluster, everything else carried to their engine.

A name in a path is always replaced by the full id, as one segment: an engine knows neither
``node/name`` nor a swarm id.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from functools import partial
from urllib.parse import quote

from swarmcore.config import ContainerConfig
from swarmcore.config.claims import claim_after_update
from swarmcore.config.gates import PLATFORM
from swarmcore.config.published import manager_address
from swarmcore.config.references import find_container
from swarmcore.errors import BadRequest, NotFound
from swarmcore.messages import Answer, Headers, find_header
from swarmcore.model import Container
from swarmcore.protocols import Engine, Epilogue, Exchange, Handler, Placed, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.epilogues import OutputEpilogue, WaitEpilogue
from swarmcore_api_docker.explanation import explanation_document
from swarmcore_api_docker.first_object import read_first_object
from swarmcore_api_docker.image_carrying import Carrier
from swarmcore_api_docker.inspection import show_container
from swarmcore_api_docker.output_types import name_output
from swarmcore_api_docker.pace import aside
from swarmcore_api_docker.ports import warned
from swarmcore_api_docker.routed import CHOSEN, CONTAINER, MANAGER
from swarmcore_api_docker.starting import ready_to_start
from swarmcore_api_docker.version_gates import needs_of_verb, require_heeded
from swarmcore_api_docker.volume_plugins import look_for_plugins

_Settle = Callable[[int], Awaitable[None]]
#: Prepares what brings the cache up to date, before the engine is asked.
_MakeSettle = Callable[[Exchange, Engine, Container], _Settle]

#: Asks a create to explain itself and do nothing.
EXPLAIN = "X-Swarmcore-Explain"

#: What follows the id in the path, and whether it changes what ``ps`` shows.
_READS = {
    "GET": ("top", "logs", "changes", "export", "stats", "archive", "attach/ws", "checkpoints"),
    "HEAD": ("archive",),
    "PUT": ("archive",),
    "POST": ("attach", "resize", "checkpoints"),
}
_CREATE = (
    "instructions in Env and Labels; names of other objects; the swarm's id in Labels;"
    " names of GPUs for their number; the node's address for the manager's in PortBindings"
)
_INSPECT = "Node added; HostIp"
_RENAME = "the name must be free in the cluster"
_UPDATE = "the node must have room for more"
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


def routes(carrier: Carrier | None = None, *, classic: bool = False) -> list[Route]:
    """Every route below ``/containers/``, the list excepted.

    Args:
        carrier: brings images to where containers will be; ``None`` makes one.
        classic: labels of expressions that are malformed are passed over.
    """
    create = _create(carrier or Carrier(), lenient=classic)
    found = [
        Route("POST", "/containers/create", create, routed=CHOSEN, rewrites=_CREATE),
        Route("POST", "/swarmcore/explain", _explain(lenient=classic), routed=MANAGER),
        Route("GET", "/containers/{name}/json", inspect, routed=CONTAINER, rewrites=_INSPECT),
        Route("POST", "/containers/{name}/rename", rename, routed=CONTAINER, rewrites=_RENAME),
        Route("POST", "/containers/{name}/update", update, routed=CONTAINER, rewrites=_UPDATE),
        Route("POST", "/containers/{name}/exec", create_exec, routed=CONTAINER),
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


def _locate(exchange: Exchange) -> tuple[Container, Engine]:
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
            container, engine = _locate(exchange)
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
                settle=make_settle(exchange, engine, container) if make_settle else None,
                reword=_output_type(exchange, engine, container) if verb in _OUTPUTS else None,
                epilogue=_epilogue(verb, exchange, container),
            )

    return carry


def _has_terminal(container: Container) -> bool:
    return bool((container.detail.get("Config") or {}).get("Tty"))


def _output_type(
    exchange: Exchange, engine: Engine, container: Container
) -> Callable[[Headers], Headers] | None:
    terminal = _has_terminal(container)
    return name_output(version_of(exchange), engine.node.api_version, terminal=terminal)


def _epilogue(verb: str, exchange: Exchange, container: Container) -> Epilogue | None:
    """What the client of a stream is told when the engine is lost; most can only be cut off."""
    if verb == "wait":
        return WaitEpilogue(exchange.request.query.get("condition"))
    if verb == "logs" and not _has_terminal(container):
        return OutputEpilogue()
    return None


def _create(carrier: Carrier, *, lenient: bool) -> Handler:
    """``POST /containers/create``; with ``X-Swarmcore-Explain: 1`` an explanation instead."""
    explain = _explain(lenient=lenient)

    async def create(exchange: Exchange) -> None:
        match exchange.request.header(EXPLAIN):
            case None:
                config = await _read_config(exchange, lenient=lenient)
                async with exchange.watching():  # a create may wait; who has gone waits no more
                    placed = await _place(exchange, config, carrier)
                    await exchange.send(warned(as_own(placed.answer), config, placed.node))
            case "1":
                await explain(exchange)
            case other:
                raise BadRequest(f"{EXPLAIN}: {other}: send 1, or leave the header out")

    return create


async def _place(exchange: Exchange, config: ContainerConfig, carrier: Carrier) -> Placed:
    """Create, with a way to bring the image to where the container will be."""
    cluster = exchange.cluster
    await look_for_plugins(cluster, config.volume_plugins.values())
    return await cluster.create_container(config, exchange.request, partial(carrier.carry, cluster))


def _explain(*, lenient: bool) -> Handler:
    """``POST /swarmcore/explain``: what a create of this body and query would do, and why."""

    async def explain(exchange: Exchange) -> None:
        cluster = exchange.cluster
        config = await _read_config(exchange, lenient=lenient)
        explained = await cluster.explain_container(config)
        await exchange.send_json(
            explanation_document(explained, cluster.strategy_name, cluster.filter_names)
        )

    return explain


async def _read_config(exchange: Exchange, *, lenient: bool) -> ContainerConfig:
    body = await exchange.read_json()
    if not isinstance(body, dict):
        raise BadRequest("config cannot be empty in order to create a container")
    query = exchange.request.query
    version = version_of(exchange)
    parse = partial(
        ContainerConfig.parse,
        body,
        name=query.get("name"),
        platform=query.get("platform") if version >= PLATFORM.since else "",
        swarm_id=new_swarm_id(),
        version=version,
        lenient=lenient,
        manager_ip=manager_address(exchange.request.header("host") or ""),
    )
    return await aside(parse, len(await exchange.read_body()))


def new_swarm_id() -> str:
    """64 random hex digits whose first twelve are not all decimal.

    Short ids stand where names and numbers stand, too; one that reads as a number is ambiguous.
    """
    while True:
        id = secrets.token_hex(32)
        if not id[:12].isdecimal():
            return id


def as_own(answer: Answer) -> Answer:
    """An engine's answer without the headers that speak of the engine and its connection."""
    kind = find_header(answer.headers, b"content-type") or b"application/json"
    return Answer(answer.status, ((b"Content-Type", kind),), answer.body)


async def inspect(exchange: Exchange) -> None:
    """``GET /containers/{name}/json``: live from the engine, with the node added."""
    container, engine = _locate(exchange)
    await exchange.relay(
        engine,
        engine_path(exchange, "containers", container.id, "json"),
        rewrite=lambda answer: show_container(answer, engine.node),
    )


async def rename(exchange: Exchange) -> None:
    """``POST /containers/{name}/rename``: the name must be free in the whole cluster."""
    name = exchange.request.query.get("name").removeprefix("/")
    if not name:
        raise BadRequest("Neither old nor new names may be empty")
    container, _ = _locate(exchange)
    answer = await exchange.cluster.rename_container(container, name, exchange.request)
    await exchange.send(as_own(answer))


async def update(exchange: Exchange) -> None:
    """``POST /containers/{name}/update``: a container grows as far as its node has room."""
    try:
        container, engine = _locate(exchange)
    except NotFound:
        await relay_unknown(exchange, "containers", exchange.request.params["name"], "update")
        return
    body, node = await exchange.read_body(), engine.node
    changes = read_first_object(body)
    claim = claim_after_update(
        container.detail, changes, node.cpus, cpu_shares_are_cpus=node.cpu_shares_are_cpus
    )
    with ExitStack() as held:
        held.enter_context(exchange.cluster.growing(container, claim))
        shown = engine.settling(container.id, "update")

        async def settle(status: int) -> None:
            await shown(status)
            held.close()

        await exchange.relay(
            engine,
            engine_path(exchange, "containers", container.id, "update"),
            body=body,
            settle=settle,
        )


async def create_exec(exchange: Exchange) -> None:
    """``POST /containers/{name}/exec``: remembers which engine got the exec."""
    try:
        container, engine = _locate(exchange)
    except NotFound:
        await relay_unknown(exchange, "containers", exchange.request.params["name"], "exec")
        return

    def remember(answer: Answer) -> Answer:
        exchange.cluster.remember_exec(str(answer.json()["Id"]), container)
        return answer

    path = engine_path(exchange, "containers", container.id, "exec")
    await exchange.relay(engine, path, rewrite=remember)


async def remove_checkpoint(exchange: Exchange) -> None:
    """``DELETE /containers/{name}/checkpoints/{checkpoint}``."""
    container, engine = _locate(exchange)
    checkpoint = exchange.request.params["checkpoint"]
    path = engine_path(exchange, "containers", container.id, "checkpoints", checkpoint)
    await exchange.relay(engine, path)


async def remove(exchange: Exchange) -> None:
    """``DELETE /containers/{name}``; with ``link`` it removes that name, not the container."""
    container, engine = _locate(exchange)
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
    await exchange.relay(engine, path, settle=settle_removal)


async def _remove_link(exchange: Exchange, linked: Container, engine: Engine) -> None:
    """Take the alias in the path from *linked*; both ends of the link are read anew."""
    alias = _link_name(exchange.request.params["name"], engine.node.name)
    linking = find_container(engine.node, alias.partition("/")[0])

    async def settle(status: int) -> None:
        for each in filter(None, (linking, linked)):
            await engine.refresh_container(each.id)

    await exchange.relay(engine, engine_path(exchange, "containers", alias), settle=settle)


def _link_name(text: str, node_name: str) -> str:
    """A link's name as its engine knows it: ``web/db``, whatever stood before."""
    return text.removeprefix("/").removeprefix(f"{node_name}/")
