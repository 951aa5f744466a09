"""``GET /containers/json``: from the caches, except sizes, for which the engines are asked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any
from urllib.parse import quote

from swarmcore import clock
from swarmcore.go_formats import BadValue, NumberError, parse_int
from swarmcore.http.messages import JSON_HEADERS, Answer, Query
from swarmcore.json_values import reading_answer
from swarmcore.list_filters import parse_filters
from swarmcore.model import Container, State
from swarmcore.node import Node
from swarmcore.protocols import ClusterView, Engine, Exchange, Route
from swarmcore_api_docker.containers.filters import FilterContext, Test, compile_filters
from swarmcore_api_docker.containers.kept_list import KeptList, place_of
from swarmcore_api_docker.containers.summary import NameStyle, SummaryEncoder, add_sizes
from swarmcore_api_docker.fanout.gather import ask_all
from swarmcore_api_docker.route_notes import CACHES
from swarmcore_api_docker.yielding import Yielder

_ROUTED = f"{CACHES}; with size the engines"
_REWRITES = "filter node; Names, Ports, Status; Labels of the node"
#: With more ids than this, the query would be longer than engines accept.
_MOST_IDS_IN_A_QUERY = 1000
#: So many containers are tested before other tasks may run.
_AT_ONCE = 100


class ContainerList:
    """Answers the list, and keeps the encoded containers for the next list.

    Args:
        names: how names are shown.
    """

    def __init__(self, names: NameStyle) -> None:
        self._encoder = SummaryEncoder(names)
        self._kept = {all_: KeptList(self._encoder, everything=all_) for all_ in (False, True)}

    def routes(self) -> list[Route]:
        """Return the route of the list, and of classic's second path for it."""
        return [
            Route("GET", path, self.show, routed=_ROUTED, rewrites=_REWRITES)
            for path in ("/containers/json", "/containers/ps")
        ]

    async def show(self, exchange: Exchange) -> None:
        """``GET /containers/json``."""
        cluster, now = exchange.cluster, clock.unix_seconds()
        nodes = [engine.node for engine in cluster.engines()]
        context = FilterContext(cluster.find_container, nodes)
        list_query = await parse_list_query(exchange.request.query, context)
        if list_query.is_whole:
            kept = self._kept[list_query.all]
            await kept.prepare(nodes, now)
            await exchange.send(Answer(200, JSON_HEADERS, kept.encoded(nodes, now)))
            return
        chosen = await select(nodes, list_query)
        sizes = await _ask_sizes(cluster, chosen) if list_query.size else {}
        encode = self._encoder.encode
        parts = [encode(container, node, now) for container, node in chosen]
        if list_query.size:
            parts = [
                add_sizes(part, sizes.get(container.id, {}))
                for part, (container, _) in zip(parts, chosen, strict=True)
            ]
        await exchange.send(Answer(200, JSON_HEADERS, b"[" + b",".join(parts) + b"]\n"))


async def _ask_sizes(
    cluster: ClusterView, chosen: Sequence[tuple[Container, Node]]
) -> dict[str, dict[str, Any]]:
    """Return container id -> its object with sizes, for containers whose engine answered."""
    wanted: dict[str, list[str]] = {}
    for container, node in chosen:
        wanted.setdefault(node.id, []).append(container.id)

    async def ask(engine: Engine) -> dict[str, dict[str, Any]]:
        ids = wanted[engine.node.id]
        path = "/containers/json?all=1&size=1"
        if len(ids) <= _MOST_IDS_IN_A_QUERY:
            path += f"&filters={quote(json.dumps({'id': ids}))}"
        answer = await engine.call("GET", path)
        with reading_answer(engine.node.name, "GET /containers/json"):
            found = answer.json() if answer.ok else []
            return {str(item["Id"]): dict(item) for item in found}

    engines = [engine for engine in cluster.engines() if engine.node.id in wanted]
    replies = await ask_all([engine for engine in engines if engine.node.health], ask)
    return {id: item for _, items in replies.answers for id, item in items.items()}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The query of ``GET /containers/json``.

    Attributes:
        all: also list stopped containers, and containers of nodes that do not answer.
        limit: list at most this many containers, the newest; 0 or less lists all.
        size: list the containers' sizes.
        tests: the tests that a container must pass.
    """

    all: bool
    limit: int
    size: bool
    tests: Sequence[Test]

    @property
    def is_whole(self) -> bool:
        """Whether every container is listed, or every running one, without sizes."""
        return not (self.tests or self.size or self.limit > 0)


async def parse_list_query(query: Query, context: FilterContext) -> ListQuery:
    """Parse the query of a list.

    Raises:
        BadRequest: an unknown filter, or one with an invalid value.
        BadValue: an invalid value for which an engine answers 500, or a limit that is not a number.
        NotFound: ``before`` or ``since`` does not name a container.
    """
    filters = parse_filters(query.get("filters"))
    for key in ("before", "since"):  # old clients send them as parameters, not as filters
        if value := query.get(key):
            filters = filters.adding(key, value)
    try:
        limit = parse_int(query.get("limit") or "0", "Atoi")
    except NumberError as error:
        raise BadValue(str(error)) from None
    return ListQuery(
        all=query.flag("all") or bool(filters.values("status")),
        limit=limit,
        size=query.flag("size"),
        tests=await compile_filters(filters, context),
    )


async def select(nodes: Sequence[Node], list_query: ListQuery) -> list[tuple[Container, Node]]:
    """Return the containers to show, newest first.

    Args:
        nodes: the nodes whose containers may be listed.
        list_query: the parsed query.
    """
    everything = list_query.all or list_query.limit > 0
    listed = [
        (node, [each for each in node.shown_containers.values() if everything or each.running])
        for node in nodes
        if everything or node.state is State.HEALTHY
    ]
    chosen: list[tuple[Container, Node]] = []
    yielder = Yielder()
    for node, containers in listed:
        for begin in range(0, len(containers), _AT_ONCE):
            passed = containers[begin : begin + _AT_ONCE]
            for test in list_query.tests:
                passed = [each for each in passed if test(each, node)]
            chosen += [(each, node) for each in passed]
            await yielder.checkpoint()
    if list_query.limit > 0:
        return nsmallest(list_query.limit, chosen, key=_place)
    return sorted(chosen, key=_place)


def _place(pair: tuple[Container, Node]) -> tuple[float, str, str]:
    return place_of(*pair)
