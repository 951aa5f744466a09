"""Prune: which engines are asked, with which filters, and one report of all of theirs."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from swarmcore.errors import BadRequest, EngineError, NotFound
from swarmcore.filters import Filters, invalid, parse_filters
from swarmcore.messages import Answer, Query
from swarmcore.protocols import Engine, Exchange, Handler, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.fanout.gather import ask_all, ask_patiently, require_success
from swarmcore_api_docker.images.moved_names import take_away
from swarmcore_api_docker.route_notes import ALL, PRUNED

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


_FORM = "application/x-www-form-urlencoded"


async def read_prune(exchange: Exchange) -> tuple[list[Engine], Query, Filters]:
    """The engines that a prune is for, the parameters that they get, and the filters among them.

    The filter ``node``, which engines do not know, chooses; without it every engine that answers.
    Engines read parameters from a form in the body, too, and those come first.

    Raises:
        BadRequest: malformed filters.
        Unavailable: no engine answers.
        NotFound: no engine that answers is called so.
    """
    query = exchange.request.query
    kind = (exchange.request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind == _FORM:
        form = Query.parse((await exchange.read_body()).decode("utf-8", "replace"))
        query = Query([*form, *query])
    filters = parse_filters(query.get("filters"))
    if "until" in filters and not filters.values("until"):
        raise invalid("until")  # engines crash on it and answer nothing
    names = set(filters.values("node"))
    engines = [
        engine
        for engine in exchange.cluster.healthy_engines()
        if not names or {engine.node.name, engine.node.id} & names
    ]
    if not engines:
        raise NotFound(f"no node that answers is called {' or '.join(sorted(names))}")
    filters = filters.without("node")
    return engines, with_filters(query, filters), filters


def with_filters(query: Query, filters: Filters) -> Query:
    """*query* with other filters, in the form that every engine reads."""
    return query.replace(filters=filters.encode() if filters else None)


def sum_reports(answers: Iterable[Answer], *lists: str) -> dict[str, Any]:
    """One report: each of *lists* joined, space summed where the engines tell it.

    A list that is null in every report stays null, as an engine says that it deleted nothing.

    Args:
        answers: the engines' reports.
        lists: ``NetworksDeleted``.
    """
    reports = [answer.json() for answer in answers]
    merged: dict[str, Any] = {}
    for key in lists:
        told = [report[key] for report in reports if report.get(key) is not None]
        merged[key] = list(chain.from_iterable(told)) if told else None
    if any("SpaceReclaimed" in report for report in reports):
        merged["SpaceReclaimed"] = sum(report.get("SpaceReclaimed") or 0 for report in reports)
    return merged
