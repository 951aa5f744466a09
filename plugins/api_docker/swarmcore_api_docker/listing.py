"""Which containers ``docker ps`` shows, and in which order: selection over the caches."""

from collections.abc import Sequence
from dataclasses import dataclass

from swarmcore.filters import parse_filters
from swarmcore.messages import Query
from swarmcore.model import Container, State
from swarmcore.node import Node
from swarmcore_api_docker.container_filters import Surroundings, Test, compile_filters
from swarmcore_api_docker.go_numbers import BadValue, NumberError, parse_int
from swarmcore_api_docker.pace import passing


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A read query of ``GET /containers/json``.

    Attributes:
        all: stopped containers, and those of nodes that do not answer, too.
        limit: how many, the newest; 0 or less: every one.
        size: with sizes.
        tests: what a container must pass.
    """

    all: bool
    limit: int
    size: bool
    tests: Sequence[Test]


async def parse_list_query(query: Query, around: Surroundings) -> ListQuery:
    """Read a list's query.

    Raises:
        BadRequest: a filter that cannot be.
        BadValue: a limit that is no number, or a filter, where an engine answers 500.
        NotFound: ``before`` or ``since`` names no container.
    """
    filters = parse_filters(query.get("filters"))
    for key in ("before", "since"):  # parameters of old clients, filters today
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
        tests=await compile_filters(filters, around),
    )


async def select(nodes: Sequence[Node], ask: ListQuery) -> list[tuple[Container, Node]]:
    """The containers to show, newest first.

    Args:
        nodes: whose containers may be shown.
        ask: what was asked.
    """
    everything = ask.all or ask.limit > 0
    tests = ask.tests
    chosen = [
        (container, node)
        for node in nodes
        if everything or node.state is State.HEALTHY
        for container in node.containers.values()
        if everything or container.running
    ]
    if tests:
        chosen = await passing(chosen, lambda pair: all(test(*pair) for test in tests))
    chosen.sort(key=lambda pair: pair[0].created, reverse=True)
    return chosen[: ask.limit] if ask.limit > 0 else chosen
