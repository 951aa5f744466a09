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
    transports,
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
    *transports.WORKLOADS,
    *placement.WORKLOADS,
    *hub_registrations.WORKLOADS,
)


def choose(
    names: Sequence[str], *, floor: bool = False, more_clients: bool = False
) -> Sequence[Workload]:
    """Return the workloads of given names.

    Args:
        names: names of workloads or of families (``ping`` for ``ping-1`` and ``ping-16``); empty
            for all.
        floor: whether to include the floors, with any workloads.
        more_clients: whether to include all workloads of a family.

    Raises:
        ValueError: an unknown name.
    """
    for name in names:
        if not any(name in (each.name, _family(each)) for each in WORKLOADS):
            raise ValueError(f"no workload {name!r}: --list shows all")

    def is_chosen(workload: Workload) -> bool:
        if workload.on is On.FLOOR:
            return floor
        if workload.name in names:
            return True
        if not workload.by_default and not more_clients:
            return False
        return not names or _family(workload) in names

    return [each for each in WORKLOADS if is_chosen(each)]


def _family(workload: Workload) -> str:
    return workload.name.rpartition("-")[0]


__all__ = ["WORKLOADS", "On", "Shape", "Workload", "choose"]
