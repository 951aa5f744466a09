"""Images: one list over all engines; pull, load, tag, remove and push on the right engines."""

from swarmcore.protocols import Route
from swarmcore_api_docker.images import archives, changes, inspection, listing, pull, registry


def routes(*, classic: bool = False) -> list[Route]:
    """Return every route below ``/images``, and the routes of login, search and registry lookups.

    Args:
        classic: report the progress of pulls and loads as Swarm classic did.
    """
    return [
        *listing.routes(),
        *inspection.routes(),
        *archives.routes(classic=classic),
        *changes.routes(),
        *pull.routes(classic=classic),
        *registry.routes(),
    ]
