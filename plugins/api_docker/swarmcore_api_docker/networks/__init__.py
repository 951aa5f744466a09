"""Networks.

A network of local scope belongs to one engine, and whatever names it goes there.  Others span the
engines of a cluster store or of a swarm.  Lists come from the caches; the rest is the engine's own
answer.
"""

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
