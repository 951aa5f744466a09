"""Networks: one of local scope lives on one engine; some span several engines."""

from swarmcore.protocols import Route
from swarmcore_api_docker.networks import handlers, inspection, listing
from swarmcore_api_docker.networks.create import NetworkCreation


def routes(*, classic: bool) -> list[Route]:
    """Every route below ``/networks``.

    Args:
        classic: lists show ``node/name``, and a network is an overlay where engines have a cluster
            store and the client names no driver, as in Swarm classic.
    """
    return [
        *listing.routes(classic=classic),
        *inspection.routes(),
        *NetworkCreation(classic=classic).routes(),
        *handlers.routes(),
    ]
