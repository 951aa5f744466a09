"""Inspect, remove and prune volumes."""

from collections.abc import Sequence

from swarmcore.errors import BadRequest, NotFound, Unavailable
from swarmcore.go_formats import parse_bool
from swarmcore.http.messages import Answer
from swarmcore.list_filters import Filters, invalid
from swarmcore.node import Node, is_spanning
from swarmcore.protocols import Engine, Exchange, ResponseHooks, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.colocation import answering_engine
from swarmcore_api_docker.fanout.gather import Replies, ask_all, require_success
from swarmcore_api_docker.prune import check_report, read_prune_request, sum_reports, with_filters
from swarmcore_api_docker.requests import engine_path, refresh_quietly
from swarmcore_api_docker.route_notes import ALL, HOLDER, HOLDERS, PRUNED, REFUSED
from swarmcore_api_docker.volumes.find import (
    find_volume,
    name_on_node,
    nodes_with_volume,
    volume_on_node,
)

#: From this version on, a prune keeps volumes with a name unless ``all`` is set.
_SPARES_NAMED = ApiVersion(1, 42)


def routes() -> list[Route]:
    """Return the routes of inspecting, removing and pruning volumes."""
    return [
        Route("GET", "/volumes/{name}", inspect, routed=HOLDER),
        Route("POST", "/volumes/prune", prune, routed=ALL, rewrites=f"{PRUNED}; all"),
        Route("PUT", "/volumes/{name}", update, routed=f"{REFUSED}: 503, for volumes of a swarm"),
        Route("DELETE", "/volumes/{name}", remove, routed=HOLDERS),
    ]


async def _forget_removed(engine: Engine, name: str, status: int) -> None:
    """Remove a volume from the cache if the engine's answer says that it is gone."""
    if status in (204, 404):
        engine.forget_volume(name)
    else:
        await refresh_quietly(engine.refresh_volumes)


async def inspect(exchange: Exchange) -> None:
    """``GET /volumes/{name}``: from the engine that has the volume."""
    cluster, text = exchange.cluster, exchange.request.params["name"]
    node, name = find_volume([engine.node for engine in cluster.engines()], text)
    engine = answering_engine(cluster, node, f"volume {name}")
    await exchange.relay(engine, engine_path(exchange, "volumes", name))


async def update(exchange: Exchange) -> None:
    """``PUT /volumes/{name}``: refused, because only volumes of a swarm can be updated."""
    raise Unavailable("volume update only valid for cluster volumes, but swarm is unavailable")


async def remove(exchange: Exchange) -> None:
    """``DELETE /volumes/{name}``: every volume of that name, on all nodes that have one."""
    cluster, text = exchange.cluster, exchange.request.params["name"]
    there = nodes_with_volume([engine.node for engine in cluster.engines()], text)
    if not there:
        if exchange.request.query.flag("force"):
            await exchange.send(Answer(204))
            return
        raise NotFound(f"get {text}: no such volume")
    engines = [answering_engine(cluster, node, f"volume {text}") for node in there]
    if len(engines) == 1 or _are_one(there, text):
        path = engine_path(exchange, "volumes", name_on_node(there[0], text))

        async def forget(status: int) -> None:
            for engine in engines:
                await _forget_removed(engine, name_on_node(engine.node, text), status)

        await exchange.relay(engines[0], path, hooks=ResponseHooks(on_status=forget))
        return
    await _remove_everywhere(exchange, engines, text)
    await exchange.send(Answer(204))


def _are_one(nodes: Sequence[Node], text: str) -> bool:
    """Return whether *text* means one volume that spans *nodes*, not one volume on each node."""
    found = [volume_on_node(node, text) for node in nodes]
    return all(map(is_spanning, found)) and len({each.get("Driver") for each in found}) == 1


async def _remove_everywhere(exchange: Exchange, engines: list[Engine], text: str) -> None:
    version = exchange.request.version

    async def ask(engine: Engine) -> Answer:
        name = name_on_node(engine.node, text)
        path = engine_path(exchange, "volumes", name)
        answer = await engine.call("DELETE", path, version=version)
        await _forget_removed(engine, name, answer.status)
        return Answer(204) if answer.status == 404 else answer  # it is gone, as the client wants

    require_success(f"removing volume {text}", await ask_all(engines, ask))


async def prune(exchange: Exchange) -> None:
    """``POST /volumes/prune``: on every engine that prunes only what the client wants.

    A client of API 1.42 or newer that does not set ``all`` wants to keep volumes with a name.
    Older engines would remove them, so they are not asked.
    """
    engines, query, filters = await read_prune_request(exchange)
    version = exchange.request.version or exchange.cluster.api_version
    wants_all = _wants_all(filters, version)
    asked = [engine for engine in engines if wants_all or engine.node.api_version >= _SPARES_NAMED]
    old_query = with_filters(query, filters.without("all"))

    async def ask(engine: Engine) -> Answer:
        known = old_query if engine.node.api_version < _SPARES_NAMED else query
        answer = await engine.call("POST", f"/volumes/prune?{known}", version=version)
        await refresh_quietly(engine.refresh_volumes)
        if answer.ok:
            check_report(engine, answer, "POST /volumes/prune", "VolumesDeleted")
        return answer

    replies: Replies[Answer] = await ask_all(asked, ask)
    answers = require_success("pruning volumes", replies)
    report = {"VolumesDeleted": [], "SpaceReclaimed": 0}
    await exchange.send_json({**report, **sum_reports(answers, "VolumesDeleted")})


def _wants_all(filters: Filters, version: ApiVersion) -> bool:
    """Return whether a prune also removes volumes with a name, as it always does for old clients.

    Raises:
        BadRequest: several values, or a value that is neither true nor false.
    """
    values = dict.fromkeys(filters.values("all"))
    if version < _SPARES_NAMED:
        values["true"] = None
    if len(values) > 1:
        raise invalid("all", f"[{' '.join(values)}]", "only one value is expected")
    try:
        return any(parse_bool(value) for value in values)
    except ValueError as error:
        raise BadRequest(f"invalid filter 'all': {error}") from None
