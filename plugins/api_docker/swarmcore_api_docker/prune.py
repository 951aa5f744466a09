"""Prune containers, images and build caches, and the functions that all prunes share.

Every engine that answers prunes; the client gets one merged report.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from swarmcore.errors import BadRequest, EngineError, NotFound
from swarmcore.http.messages import Answer, Query
from swarmcore.json_values import reading_answer
from swarmcore.list_filters import Filters, invalid, parse_filters
from swarmcore.protocols import Engine, Exchange, Handler, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.fanout.gather import ask_all, ask_patiently, require_success
from swarmcore_api_docker.filters import passes_node_filter
from swarmcore_api_docker.images.moved_names import remove_moved_names
from swarmcore_api_docker.route_notes import ALL, PRUNED

#: This version renamed ``keep-storage`` to ``reserved-space`` and added two more limits.
_RESERVED_SPACE = ApiVersion(1, 48)
_NEW_LIMITS = ("max-used-space", "min-free-space")
_FORM = "application/x-www-form-urlencoded"
#: Updates the cache of an engine after its report.
_Settle = Callable[[Engine, Answer], Awaitable[None]]


def routes() -> list[Route]:
    """Return the routes of pruning containers, images and build caches."""
    return [
        _route("containers", "ContainersDeleted", _forget),
        _route("images", "ImagesDeleted", _reread_images),
        _route("build", "CachesDeleted", _nothing, f"{PRUNED}; keep-storage, reserved-space"),
    ]


def _route(kind: str, deleted: str, settle: _Settle, rewrites: str = PRUNED) -> Route:
    handler = _prune(kind, deleted, settle)
    return Route("POST", f"/{kind}/prune", handler, routed=ALL, rewrites=rewrites)


def _prune(kind: str, deleted: str, settle: _Settle) -> Handler:
    """Return a handler that prunes on every engine that answers, or on those of ``node``.

    Args:
        kind: the first segment of the path: ``images``.
        deleted: the list in the report: ``ImagesDeleted``.
        settle: awaited with each engine's report.
    """

    async def prune(exchange: Exchange) -> None:
        engines, query, _ = await read_prune_request(exchange)
        queries = {engine.node.id: prune_query_for(engine, query) for engine in engines}

        async def ask(engine: Engine) -> Answer:
            if kind == "images":  # an image whose only name has moved counts as unnamed
                await remove_moved_names(exchange.cluster, engine)
            path = f"/{kind}/prune?{queries[engine.node.id]}"
            version = exchange.request.version
            answer = await ask_patiently(engine, "POST", path, version=version)
            if answer.ok:
                with suppress(EngineError):  # the cache is late; the report is right
                    await settle(engine, answer)
                check_report(engine, answer, f"POST /{kind}/prune", deleted)
            return answer

        async with exchange.watching():
            answers = require_success(f"pruning {kind}", await ask_all(engines, ask))
            await exchange.send_json(sum_reports(answers, deleted))

    return prune


def prune_query_for(engine: Engine, query: Query) -> Query:
    """Return *query* as the API version of *engine* reads it.

    An old engine ignores the new limits, and would prune more than the client wants.

    Raises:
        BadRequest: the engine has no such limit.
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
    with reading_answer(engine.node.name, "POST /containers/prune"):
        deleted = [str(id) for id in report.json().get("ContainersDeleted") or ()]
    for id in deleted:
        engine.forget_container(id)


async def _reread_images(engine: Engine, report: Answer) -> None:
    await engine.refresh_images()


async def _nothing(engine: Engine, report: Answer) -> None:
    """Do nothing: the manager has no cache of build caches."""


async def read_prune_request(exchange: Exchange) -> tuple[list[Engine], Query, Filters]:
    """Read the request of a prune.

    Engines also read parameters from a form in the body, which takes precedence over the query.

    Returns:
        1. The engines that prune: those of the filter ``node``, or every engine that answers.
        2. The query for these engines, whose filters are without ``node``.
        3. These filters.

    Raises:
        BadRequest: malformed filters.
        Unavailable: no engine answers.
        NotFound: no engine of the filter ``node`` answers.
    """
    query = exchange.request.query
    kind = (exchange.request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind == _FORM:
        form = Query.parse((await exchange.read_body()).decode("utf-8", "replace"))
        query = Query([*form, *query])
    filters = parse_filters(query.get("filters"))
    if "until" in filters and not filters.values("until"):
        raise invalid("until")  # engines crash on it and answer nothing
    healthy = exchange.cluster.healthy_engines()
    engines = [engine for engine in healthy if passes_node_filter(engine.node, filters)]
    if not engines:
        names = sorted(set(filters.values("node")))
        raise NotFound(f"no node that answers is called {' or '.join(names)}")
    filters = filters.without("node")
    return engines, with_filters(query, filters), filters


def with_filters(query: Query, filters: Filters) -> Query:
    """Return *query* with other filters, written in the form that every engine release reads."""
    return query.replace(filters=filters.encode() if filters else None)


def check_report(engine: Engine, answer: Answer, what: str, *lists: str) -> None:
    """Check one engine's report, so that a damaged one does not spoil the sum over all engines.

    Args:
        engine: the engine that sent it.
        answer: its report.
        what: the request.
        lists: see ``sum_reports``.

    Raises:
        EngineError: the report cannot be read.
    """
    with reading_answer(engine.node.name, what):
        sum_reports([answer], *lists)


def sum_reports(answers: Iterable[Answer], *lists: str) -> dict[str, Any]:
    """Merge reports: join each of *lists*, and sum ``SpaceReclaimed`` if it is present.

    A list that is null in every report stays null; engines send null if they deleted nothing.

    Args:
        answers: the engines' reports.
        lists: keys of the lists in a report: ``NetworksDeleted``.
    """
    reports = [answer.json() for answer in answers]
    merged: dict[str, Any] = {}
    for key in lists:
        found = [report[key] for report in reports if report.get(key) is not None]
        merged[key] = list(chain.from_iterable(found)) if found else None
    if any("SpaceReclaimed" in report for report in reports):
        merged["SpaceReclaimed"] = sum(report.get("SpaceReclaimed") or 0 for report in reports)
    return merged
