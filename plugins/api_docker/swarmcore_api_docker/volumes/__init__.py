"""Volumes.

A volume of local scope belongs to one engine, and containers that name it are placed there.  A
volume with a new name is made on one engine: volumes of that name on every engine would be
different volumes.
"""

from swarmcore.protocols import Route
from swarmcore_api_docker.volumes import create, handlers, listing


def routes(*, classic: bool) -> list[Route]:
    """Return every route below ``/volumes``.

    Args:
        classic: behave as Swarm classic: lists show ``node/name``, and a volume is made on every
            node.
    """
    return [
        *listing.routes(classic=classic),
        *create.routes(everywhere=classic),
        *handlers.routes(),
    ]
