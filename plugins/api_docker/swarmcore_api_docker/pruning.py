"""Prune on many engines: whom to ask, with which filters, and one report of all of theirs."""

import json
from collections.abc import Iterable
from itertools import chain
from typing import Any

from swarmcore.errors import NotFound
from swarmcore.messages import Answer, Query
from swarmcore.protocols import Engine, Exchange


def pruned_engines(exchange: Exchange) -> tuple[list[Engine], Query]:
    """The engines that a prune is for, and the query that they get.

    The filter ``node``, which engines do not know, chooses; without it every engine that answers.

    Raises:
        BadRequest: malformed filters.
        Unavailable: no engine answers.
        NotFound: no engine that answers is called so.
    """
    query = exchange.request.query
    filters = query.filters()
    names = set(filters.pop("node", []))
    engines = [
        engine
        for engine in exchange.cluster.healthy_engines()
        if not names or {engine.node.name, engine.node.id} & names
    ]
    if not engines:
        raise NotFound(f"no node that answers is called {' or '.join(sorted(names))}")
    return engines, with_filters(query, filters)


def with_filters(query: Query, filters: dict[str, list[str]]) -> Query:
    """*query* with other filters, in the encoding that every engine reads."""
    encoded = {key: dict.fromkeys(values, True) for key, values in filters.items()}
    return query.replace(filters=json.dumps(encoded) if encoded else None)


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
