"""``GET /system/df``: the sum of the disk usage of all engines.

Images are not merged by id: an image on two engines takes its space twice.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import trio

from swarmcore.errors import BadRequest, EngineRefused
from swarmcore.images import without_moved_names
from swarmcore.json_values import reading_answer
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.fanout.gather import ask_all, ask_patiently
from swarmcore_api_docker.requests import engine_path
from swarmcore_api_docker.route_notes import ALL

log = logging.getLogger(__name__)


class DiskUsage:
    """Asks engines for their disk usage, at most once at a time for each engine."""

    def __init__(self) -> None:
        # An engine of release 20.10 refuses a second request while it counts.
        self._counting: WeakKeyDictionary[Engine, trio.Lock] = WeakKeyDictionary()

    def routes(self) -> list[Route]:
        """Return the route of the disk usage."""
        return [Route("GET", "/system/df", self.show, routed=ALL, rewrites="added up")]

    async def show(self, exchange: Exchange) -> None:
        """Answer with the sum over the engines that answer.

        Raises:
            EngineError: no engine answered; the error is that of the first engine.
        """
        request, cluster = exchange.request, exchange.cluster
        version = request.version or cluster.api_version
        types = read_types(request.query.get_all("type"), version)
        path = engine_path(exchange, "system", "df")

        async def count(engine: Engine) -> dict[str, object]:
            async with self._counting.setdefault(engine, trio.Lock()):
                answer = await ask_patiently(engine, "GET", path, version=request.version)
            if not answer.ok:
                raise EngineRefused(engine.node.name, answer.status, answer.message)
            with reading_answer(engine.node.name, "GET /system/df"):
                usage = show_usage(answer.json(), engine.node.moved_names)
                merge_usage([usage], version)  # fails here, not for the sum over all engines
                return usage

        async with exchange.watching():
            replies = await ask_all(cluster.healthy_engines(), count)
            for engine, error in replies.failures:
                log.warning("disk usage leaves out %s: %s", engine.node.name, error)
            if not replies.answers:
                raise replies.failures[0][1]
            reports = [report for _, report in replies.answers]
            await exchange.send_json(merge_usage(reports, version, types))


#: Value of the parameter ``type`` -> its list in a report.
_LISTS = {
    "image": "Images",
    "container": "Containers",
    "volume": "Volumes",
    "build-cache": "BuildCache",
}
#: The last version whose report has the size of the build cache besides its list.
_BUILDER_SIZE = ApiVersion(1, 41)
#: The first version that has the parameter ``type``.
_TYPES = ApiVersion(1, 42)


def read_types(values: Sequence[str], version: ApiVersion) -> list[str]:
    """Return the types of objects that the client asks for; an empty list means all.

    Args:
        values: the values of the parameter ``type``.
        version: the client's API version.  Before API 1.42, the parameter is ignored, as by
            engines.

    Raises:
        BadRequest: an unknown type.
    """
    if version < _TYPES:
        return []
    for value in values:
        if value not in _LISTS:
            raise BadRequest(f"unknown object type: {value}")
    return list(values)


def show_usage(report: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    """Return one engine's report without moved image names.

    Args:
        report: the engine's report.
        moved: ``moved_names`` of the node.
    """
    shown = dict(report)
    if report.get("Images"):
        shown["Images"] = [without_moved_names(moved, image) for image in report["Images"]]
    return shown


def merge_usage(
    reports: Sequence[Mapping[str, Any]], version: ApiVersion, types: Iterable[str] = ()
) -> dict[str, Any]:
    """Merge the reports of several engines.

    Args:
        reports: the reports of the engines.
        version: the client's API version.
        types: the types that the client asks for, which old engines ignore; empty means all.
    """
    wanted = set(types) or set(_LISTS)
    layers = "image" in wanted
    merged: dict[str, Any] = {"LayersSize": _sum(reports, "LayersSize") if layers else 0}
    for kind, name in _LISTS.items():
        merged[name] = _concat(reports, name) if kind in wanted else None
    if version <= _BUILDER_SIZE:
        merged["BuilderSize"] = _sum(reports, "BuilderSize")
    return merged


def _sum(reports: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(report.get(name) or 0 for report in reports)


def _concat(reports: Iterable[Mapping[str, Any]], name: str) -> list[Any] | None:
    """Join lists; ``None`` if the list is null in every report, which means an empty list."""
    lists = [report.get(name) for report in reports]
    if all(each is None for each in lists):
        return None
    return [item for each in lists for item in each or ()]
