"""Volumes: one of local scope lives on one engine, and containers that name it go there."""

from swarmcore.protocols import Route
from swarmcore_api_docker.volumes import create, handlers


def routes(*, classic: bool) -> list[Route]:
    """Every route below ``/volumes``.

    Args:
        classic: lists show ``node/name``, and a volume is made on every node, as in Swarm classic.
    """
    return [*create.routes(everywhere=classic), *handlers.routes(classic=classic)]
