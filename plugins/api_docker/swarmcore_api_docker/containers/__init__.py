"""Containers: created by the cluster, listed from the caches, otherwise relayed to their engine."""

from swarmcore.image_supply.transfer import ImageTransfer
from swarmcore.protocols import Route
from swarmcore_api_docker.containers import create, handlers, inspection, update
from swarmcore_api_docker.containers.execs import Execs
from swarmcore_api_docker.containers.listing import ContainerList
from swarmcore_api_docker.containers.summary import NameStyle


def routes(transfer: ImageTransfer, names: NameStyle, *, classic: bool) -> list[Route]:
    """Return every route below ``/containers`` and ``/exec``.

    Args:
        transfer: copies images to the nodes of new containers.
        names: how lists show names.
        classic: ignore malformed expressions in labels, as Swarm classic did.
    """
    return [
        *ContainerList(names).routes(),
        *create.routes(transfer, classic=classic),
        *inspection.routes(),
        *update.routes(),
        *handlers.routes(),
        *Execs().routes(),
    ]
