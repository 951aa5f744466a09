"""Disk usage of several engines as one report, in each shape that versions have.  Pure.

Nothing is merged by id: an image on two engines takes its space twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.images import without_moved_names
from swarmcore.versions import ApiVersion

#: The lists of the old shape, by what ``type`` calls them.
_LISTS = {
    "image": "Images",
    "container": "Containers",
    "volume": "Volumes",
    "build-cache": "BuildCache",
}
#: The objects of the new shape.
_USAGES = ("ImageUsage", "ContainerUsage", "VolumeUsage", "BuildCacheUsage")
_NUMBERS = ("ActiveCount", "TotalCount", "Reclaimable", "TotalSize")
#: The last version whose report has the builder's size besides its list.
_BUILDER_SIZE = ApiVersion(1, 41)
#: The first version that has the parameter ``type``.
_TYPES = ApiVersion(1, 42)


def asked_types(values: Sequence[str], version: ApiVersion) -> list[str]:
    """What is asked for; nothing means all.

    Args:
        values: of the parameter ``type``.
        version: the client's; one older than the parameter passes over it, as in the engine.

    Raises:
        BadRequest: no such type.
    """
    if version < _TYPES:
        return []
    for value in values:
        if value not in _LISTS:
            raise BadRequest(f"unknown object type: {value}")
    return list(values)


def show_usage(report: Mapping[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    """One engine's report without image names that mean another image by now.

    Args:
        report: as the engine wrote it.
        moved: the node's ``moved_names``.
    """
    shown = dict(report)
    if report.get("Images"):
        shown["Images"] = [without_moved_names(moved, image) for image in report["Images"]]
    usage = report.get("ImageUsage") or {}
    if usage.get("Items"):
        items = [without_moved_names(moved, image) for image in usage["Items"]]
        shown["ImageUsage"] = {**usage, "Items": items}
    return shown


def merge_usage(
    reports: Sequence[Mapping[str, Any]], version: ApiVersion, types: Iterable[str] = ()
) -> dict[str, Any]:
    """One report.

    Args:
        reports: each engine's.
        version: the client's.
        types: what was asked for, which old engines do not heed; none means all.
    """
    wanted = set(types) or set(_LISTS)
    merged: dict[str, Any] = {}
    if any("LayersSize" in report or "Images" in report for report in reports):
        layers = "image" in wanted
        merged["LayersSize"] = _sum(reports, "LayersSize") if layers else 0
        for kind, name in _LISTS.items():
            merged[name] = _concat(reports, name) if kind in wanted else None
        if version <= _BUILDER_SIZE:
            merged["BuilderSize"] = _sum(reports, "BuilderSize")
    for name in _USAGES:
        found = [report[name] for report in reports if report.get(name)]
        if found:
            merged[name] = {number: _sum(found, number) for number in _NUMBERS}
            if any("Items" in usage for usage in found):
                merged[name]["Items"] = _concat(found, "Items")
    return merged


def _sum(reports: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(report.get(name) or 0 for report in reports)


def _concat(reports: Iterable[Mapping[str, Any]], name: str) -> list[Any] | None:
    """Lists joined; ``null`` where every engine says so, as engines do for what is empty."""
    lists = [report.get(name) for report in reports]
    if all(each is None for each in lists):
        return None
    return [item for each in lists for item in each or ()]
