"""Prunes of containers, images and build caches: everywhere, one report."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from swarmcore.errors import BadRequest, EngineError
from swarmcore.messages import Answer, Query
from swarmcore.protocols import Engine, Exchange, Handler, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.fan_out import ask_all
from swarmcore_api_docker.moved_names import take_away
from swarmcore_api_docker.outcomes import require_success
from swarmcore_api_docker.pruning import read_prune, sum_reports
from swarmcore_api_docker.routed import ALL, PRUNED
from swarmcore_api_docker.whole_answer import ask_patiently

#: ``keep-storage`` got another name, and two companions, in this version.
_RESERVED_SPACE = ApiVersion(1, 48)
_NEW_LIMITS = ("max-used-space", "min-free-space")

#: Brings an engine's cache up to date after its report.
_Settle = Callable[[Engine, Answer], Awaitable[None]]


def routes() -> list[Route]:
    """Prunes; those of networks and volumes are theirs."""
    return [
        _route("containers", "ContainersDeleted", _forget),
        _route("images", "ImagesDeleted", _reread_images),
        _route("build", "CachesDeleted", _nothing, f"{PRUNED}; keep-storage, reserved-space"),
    ]


def _route(kind: str, deleted: str, settle: _Settle, rewrites: str = PRUNED) -> Route:
    handler = _prune(kind, deleted, settle)
    return Route("POST", f"/{kind}/prune", handler, routed=ALL, rewrites=rewrites)


def _prune(kind: str, deleted: str, settle: _Settle) -> Handler:
    """A handler that prunes on every engine that answers, or those of the filter ``node``.

    Args:
        kind: the path's first segment.
        deleted: the report's list.
        settle: awaited with each engine's report.
    """

    async def prune(exchange: Exchange) -> None:
        engines, query, _ = await read_prune(exchange)
        queries = {engine.node.id: build_query(engine, query) for engine in engines}

        async def ask(engine: Engine) -> Answer:
            if kind == "images":  # those of a name that moved away have none
                await take_away(exchange.cluster, engine)
            path = f"/{kind}/prune?{queries[engine.node.id]}"
            version = exchange.request.version
            answer = await ask_patiently(engine, "POST", path, version=version)
            if answer.ok:
                with suppress(EngineError):  # the cache is late; the report is right
                    await settle(engine, answer)
            return answer

        async with exchange.watching():
            answers = require_success(f"pruning {kind}", await ask_all(engines, ask))
            await exchange.send_json(sum_reports(answers, deleted))

    return prune


def build_query(engine: Engine, query: Query) -> Query:
    """*query* in the words of *engine*'s version: what an old one ignored would prune more.

    Raises:
        BadRequest: it has no words for it.
    """
    if engine.node.api_version >= _RESERVED_SPACE:
        return query
    if unknown := [name for name in _NEW_LIMITS if query.get(name)]:
        raise BadRequest(
            f'"{unknown[0]}" requires API version {_RESERVED_SPACE}, which {engine.node.name} lacks'
        )
    kept = query.get("reserved-space")
    return query.replace(**{"reserved-space": None, "keep-storage": kept}) if kept else query


async def _forget(engine: Engine, report: Answer) -> None:
    for id in report.json().get("ContainersDeleted") or ():
        engine.forget_container(id)


async def _reread_images(engine: Engine, report: Answer) -> None:
    await engine.refresh_images()


async def _nothing(engine: Engine, report: Answer) -> None:
    """Build caches are not cached here."""
