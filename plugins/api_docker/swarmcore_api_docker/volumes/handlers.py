"""Volumes: one of local scope lives on one engine, and containers that name it go there.

A new name is made on one engine, not on all: a copy on each would be as many different volumes.
"""

from collections.abc import Awaitable, Callable, Sequence

from swarmcore.errors import BadRequest, NotFound, Unavailable
from swarmcore.filters import Filters, invalid, parse_filters
from swarmcore.messages import Answer
from swarmcore.node import Node, is_spanning
from swarmcore.protocols import Engine, Exchange, ResponseHooks, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.colocation import answering_engine
from swarmcore_api_docker.fanout.gather import Replies, ask_all, require_success
from swarmcore_api_docker.prune import read_prune, sum_reports, with_filters
from swarmcore_api_docker.requests import engine_path, refresh_quietly
from swarmcore_api_docker.route_notes import ALL, CACHES, HOLDER, HOLDERS, LISTED, PRUNED, REFUSED
from swarmcore_api_docker.volumes.listing import (
    find_volume,
    holders,
    list_volumes,
    name_on,
    volume_of,
    warn_of_silence,
)

#: From here on a prune spares volumes with a name unless ``all`` is asked for.
_SPARES_NAMED = ApiVersion(1, 42)
#: What the filter ``all`` of a prune may be.
_TRUE, _FALSE = (
    frozenset({"1", "t", "T", "true", "TRUE", "True"}),
    frozenset({"0", "f", "F", "false", "FALSE", "False"}),
)
_LIST = f"{LISTED}; Warnings name silent nodes"


def routes(*, classic: bool = False) -> list[Route]:
    """Listing, inspecting, removing, pruning.

    Args:
        classic: lists show ``node/name``, as in Swarm classic.
    """

    async def show(exchange: Exchange) -> None:
        await show_list(exchange, classic=classic)

    return [
        Route("GET", "/volumes", show, routed=CACHES, rewrites=_LIST),
        Route("GET", "/volumes/{name}", inspect, routed=HOLDER),
        Route("POST", "/volumes/prune", prune, routed=ALL, rewrites=f"{PRUNED}; all"),
        Route("PUT", "/volumes/{name}", update, routed=f"{REFUSED}: 503, for volumes of a swarm"),
        Route("DELETE", "/volumes/{name}", remove, routed=HOLDERS),
    ]


def _removing(engine: Engine, name: str) -> Callable[[int], Awaitable[None]]:
    """Have the cache show that the volume is gone, where the engine says so."""

    async def settle(status: int) -> None:
        if status in (204, 404):
            engine.forget_volume(name)
        else:
            await refresh_quietly(engine.refresh_volumes)

    return settle


async def show_list(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /volumes``: from the caches, those of engines that answer; the others are named."""
    nodes = [engine.node for engine in exchange.cluster.engines()]
    text = exchange.request.query.get("filters")
    try:
        filters = parse_filters(text)
    except BadRequest as error:
        raise BadRequest(f"error reading volume filters: {error}") from None
    volumes = await list_volumes(nodes, filters, classic=classic)
    await exchange.send_json({"Volumes": volumes, "Warnings": warn_of_silence(nodes)})


async def inspect(exchange: Exchange) -> None:
    """``GET /volumes/{name}``: live from the engine that has it."""
    cluster, text = exchange.cluster, exchange.request.params["name"]
    node, name = find_volume([engine.node for engine in cluster.engines()], text)
    engine = answering_engine(cluster, node, f"volume {name}")
    await exchange.relay(engine, engine_path(exchange, "volumes", name))


async def update(exchange: Exchange) -> None:
    """``PUT /volumes/{name}`` is for the volumes of a swarm."""
    raise Unavailable("volume update only valid for cluster volumes, but swarm is unavailable")


async def remove(exchange: Exchange) -> None:
    """``DELETE /volumes/{name}``: every volume of that name, on all nodes that have one."""
    cluster, text = exchange.cluster, exchange.request.params["name"]
    there = holders([engine.node for engine in cluster.engines()], text)
    if not there:
        if exchange.request.query.flag("force"):
            await exchange.send(Answer(204))
            return
        raise NotFound(f"get {text}: no such volume")
    engines = [answering_engine(cluster, node, f"volume {text}") for node in there]
    if len(engines) == 1 or _are_one(there, text):
        path = engine_path(exchange, "volumes", name_on(there[0], text))

        async def settle(status: int) -> None:
            for engine in engines:
                await _removing(engine, name_on(engine.node, text))(status)

        await exchange.relay(engines[0], path, hooks=ResponseHooks(on_status=settle))
        return
    await _remove_everywhere(exchange, engines, text)
    await exchange.send(Answer(204))


def _are_one(nodes: Sequence[Node], text: str) -> bool:
    """Whether the volume *text* of *nodes* is a single one, which spans them."""
    found = [volume_of(node, text) for node in nodes]
    return all(map(is_spanning, found)) and len({each.get("Driver") for each in found}) == 1


async def _remove_everywhere(exchange: Exchange, engines: list[Engine], text: str) -> None:
    version = exchange.request.version

    async def ask(engine: Engine) -> Answer:
        name = name_on(engine.node, text)
        path = engine_path(exchange, "volumes", name)
        answer = await engine.call("DELETE", path, version=version)
        await _removing(engine, name)(answer.status)
        return Answer(204) if answer.status == 404 else answer  # gone is what was asked for

    require_success(f"removing volume {text}", await ask_all(engines, ask))


async def prune(exchange: Exchange) -> None:
    """``POST /volumes/prune``: on every engine where it means what the client means.

    A client of API 1.42 or newer that does not ask for ``all`` wants to keep volumes with names;
    older engines would remove them, so those are not asked.
    """
    engines, query, filters = await read_prune(exchange)
    version = exchange.request.version or exchange.cluster.api_version
    wants_all = _wants_all(filters, version)
    asked = [engine for engine in engines if wants_all or engine.node.api_version >= _SPARES_NAMED]
    for_old = with_filters(query, filters.without("all"))

    async def ask(engine: Engine) -> Answer:
        fitting = for_old if engine.node.api_version < _SPARES_NAMED else query
        answer = await engine.call("POST", f"/volumes/prune?{fitting}", version=version)
        await refresh_quietly(engine.refresh_volumes)
        return answer

    replies: Replies[Answer] = await ask_all(asked, ask)
    answers = require_success("pruning volumes", replies)
    report = {"VolumesDeleted": [], "SpaceReclaimed": 0}
    await exchange.send_json({**report, **sum_reports(answers, "VolumesDeleted")})


def _wants_all(filters: Filters, version: ApiVersion) -> bool:
    """Whether a prune is about volumes with names, too; an engine adds that for old clients.

    Raises:
        BadRequest: several values, or one that is neither true nor false.
    """
    values = dict.fromkeys(filters.values("all"))
    if version < _SPARES_NAMED:
        values["true"] = None
    if len(values) > 1:
        raise invalid("all", f"[{' '.join(values)}]", "only one value is expected")
    for value in values:
        if value not in _TRUE | _FALSE:
            reason = f'strconv.ParseBool: parsing "{value}": invalid syntax'
            raise BadRequest(f"invalid filter 'all': {reason}")
    return not _TRUE.isdisjoint(values)
