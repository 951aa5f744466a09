"""Prune on many engines: whom to ask, with which filters, and one report of all of theirs."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from swarmcore.errors import NotFound
from swarmcore.filters import Filters, invalid, parse_filters
from swarmcore.messages import Answer, Query
from swarmcore.protocols import Engine, Exchange

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
