"""The manager and the whole cluster: version, info, events and disk usage."""

from swarmcore.protocols import Route
from swarmcore_api_docker.system import events, handlers
from swarmcore_api_docker.system.disk_usage import DiskUsage


def routes(*, classic: bool) -> list[Route]:
    """Return the routes of ``_ping``, ``version``, ``info``, ``events`` and ``system/df``.

    Args:
        classic: show releases, sums and the sources of events as Swarm classic did.
    """
    return [
        *handlers.routes(classic=classic),
        *events.routes(classic=classic),
        *DiskUsage().routes(),
    ]
