"""The manager speaking for itself and for the whole cluster: version, info, events, disk usage."""

from swarmcore.protocols import Route
from swarmcore_api_docker.system import events, handlers
from swarmcore_api_docker.system.disk_usage import DiskUsage


def routes(*, classic: bool) -> list[Route]:
    """``_ping``, ``version``, ``info``, ``events`` and ``system/df``.

    Args:
        classic: releases, sums and the sources of events as Swarm classic told them.
    """
    return [
        *handlers.routes(classic=classic),
        *events.routes(classic=classic),
        *DiskUsage().routes(),
    ]
