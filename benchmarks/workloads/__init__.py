"""The workloads, in the order in which a round measures them."""

from collections.abc import Sequence

from benchmarks.workloads import (
    events,
    floors,
    hub_registrations,
    lives,
    placement,
    requests,
    startup,
    streams,
    uploads,
)
from benchmarks.workloads.workload import On, Shape, Workload

WORKLOADS: Sequence[Workload] = (
    *startup.WORKLOADS,
    *floors.WORKLOADS,
    *requests.WORKLOADS,
    *lives.WORKLOADS,
    *events.WORKLOADS,
    *streams.WORKLOADS,
    *uploads.WORKLOADS,
    *placement.WORKLOADS,
    *hub_registrations.WORKLOADS,
)


def choose(names: Sequence[str], *, floor: bool) -> Sequence[Workload]:
    """The workloads of those names.

    Args:
        names: of workloads or of families (``ping`` for ``ping-1`` and ``ping-16``); empty for all.
        floor: whether floors are measured; they are with any workloads.

    Raises:
        ValueError: nothing has one of the names.
    """
    for name in names:
        if not any(_is_named(each, name) for each in WORKLOADS):
            raise ValueError(f"no workload {name!r}: --list shows all")
    return [
        each
        for each in WORKLOADS
        if (each.on is On.FLOOR and floor)
        or (each.on is not On.FLOOR and (not names or any(_is_named(each, x) for x in names)))
    ]


def _is_named(workload: Workload, name: str) -> bool:
    return workload.name == name or workload.name.rpartition("-")[0] == name


__all__ = ["WORKLOADS", "On", "Shape", "Workload", "choose"]
