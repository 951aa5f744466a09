"""Volumes.

A volume of local scope belongs to one engine, and containers that name it go there.  A new name is
made on one engine, not on all: a volume on each would be as many different volumes.
"""

from swarmcore.protocols import Route
from swarmcore_api_docker.volumes import create, handlers, listing


def routes(*, classic: bool) -> list[Route]:
    """Every route below ``/volumes``.

    Args:
        classic: lists show ``node/name``, and a volume is made on every node, as in Swarm classic.
    """
    return [
        *listing.routes(classic=classic),
        *create.routes(everywhere=classic),
        *handlers.routes(),
    ]
