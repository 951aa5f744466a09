"""``GET /images/json``: the images of all engines that answer, one row for each id."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import quote

from swarmcore import clock
from swarmcore.go_formats import parse_time
from swarmcore.http.messages import Query
from swarmcore.images import without_moved_names
from swarmcore.json_values import reading_answer
from swarmcore.list_filters import parse_filters
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.fanout.gather import ask_all
from swarmcore_api_docker.filters import passes_node_filter
from swarmcore_api_docker.images.filters import filter_images, find_bounds, indistinct_images
from swarmcore_api_docker.images.merge import (
    Image,
    merge_images,
    show_images,
    without_intermediates,
)
from swarmcore_api_docker.route_notes import ALL, CACHES

#: Parameters that ask for data which is not in the caches.
_LIVE = ("all", "shared-size", "manifests", "identity")
_LISTED = f"{CACHES}; with all, shared-size, manifests or identity {ALL}"
_MERGED = "filter node; one row for each image id"
#: The first version without the parameter ``filter``, a reference beside the filters.
_NO_FILTER_PARAMETER = ApiVersion(1, 41)


def routes() -> list[Route]:
    """Return the route of the image list."""
    return [Route("GET", "/images/json", show_list, routed=_LISTED, rewrites=_MERGED)]


async def show_list(exchange: Exchange) -> None:
    """``GET /images/json``: the images of all engines that answer, one row for each id."""
    query, cluster = exchange.request.query, exchange.cluster
    version = exchange.request.version or cluster.api_version
    filters = parse_filters(query.get("filters"))
    if (text := query.get("filter")) and version < _NO_FILTER_PARAMETER:
        filters = filters.adding("reference", text)
    engines = [
        engine
        for engine in cluster.engines()
        if engine.node.health and passes_node_filter(engine.node, filters)
    ]
    filters = filters.without("node")
    if any(query.flag(name) for name in _LIVE):
        lists = await _ask_lists(engines, query, version)
    else:
        lists = [list(engine.node.images.values()) for engine in engines]
    everything = merge_images(lists)
    bounds = await find_bounds(everything, filters)
    shown = everything
    is_dangling = "dangling" in filters and filters.flag("dangling")
    if is_dangling or not query.flag("all"):
        cached = chain.from_iterable(engine.node.images.values() for engine in engines)
        parents = {str(image.get("ParentId")) for image in cached}
        shown = without_intermediates(everything, parents, with_digests=is_dangling)
    creation_times: Mapping[str, float] = {}
    if indistinct := indistinct_images(everything, bounds):
        async with exchange.watching():
            creation_times = await _ask_creation_times(engines, indistinct)
    images = await filter_images(shown, filters, clock.unix_seconds(), bounds, creation_times)
    await exchange.send_json(show_images(images, version))


async def _ask_lists(
    engines: Sequence[Engine], query: Query, version: ApiVersion
) -> list[list[Mapping[str, Any]]]:
    asked = Query((name, query.get(name)) for name in _LIVE if name in query)

    async def ask(engine: Engine) -> list[Mapping[str, Any]]:
        answer = await engine.call("GET", f"/images/json?{asked}", version=version)
        if not answer.ok:
            return []
        with reading_answer(engine.node.name, "GET /images/json"):
            moved = engine.node.moved_names
            images = [without_moved_names(moved, each) for each in answer.json()]
            merge_images([images])  # fails here, not for the lists of all engines
            return images

    return [images for _, images in (await ask_all(engines, ask)).answers]


async def _ask_creation_times(
    engines: Sequence[Engine], images: Sequence[Image]
) -> dict[str, float]:
    """Return image id -> creation time in Unix seconds, for images whose engines answer."""
    holders = {
        image["Id"]: next((each for each in engines if image["Id"] in each.node.images), None)
        for image in images
    }
    creation_times: dict[str, float] = {}

    async def ask(engine: Engine) -> None:
        for id, holder in holders.items():
            if holder is engine:
                answer = await engine.call("GET", f"/images/{quote(id, safe=':')}/json")
                if answer.ok:
                    with reading_answer(engine.node.name, "GET /images/{name}/json"):
                        made = parse_time(answer.json().get("Created"))
                    if made is not None:
                        creation_times[id] = made

    await ask_all({engine for engine in holders.values() if engine is not None}, ask)
    return creation_times
