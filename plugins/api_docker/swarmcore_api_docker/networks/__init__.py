"""Networks.

A network of local scope belongs to one engine, and requests that name it go to that engine.  Other
networks span the engines of a cluster store or of a swarm.  Lists are made from the caches; engines
answer all other requests.
"""

from swarmcore.protocols import Route
from swarmcore_api_docker.networks import handlers, inspection, listing
from swarmcore_api_docker.networks.create import NetworkCreation


def routes(*, classic: bool) -> list[Route]:
    """Return every route below ``/networks``.

    Args:
        classic: behave as Swarm classic: lists show ``node/name``, and a network without a driver
            is an overlay if engines have a cluster store.
    """
    return [
        *listing.routes(classic=classic),
        *inspection.routes(),
        *NetworkCreation(classic=classic).routes(),
        *handlers.routes(),
    ]
