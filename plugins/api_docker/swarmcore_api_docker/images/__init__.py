"""Images: listed over all engines, and pulled, loaded, tagged and removed where they belong."""

from swarmcore.protocols import Route
from swarmcore_api_docker.images import archives, changes, inspection, listing, pull, registry


def routes(*, classic: bool = False) -> list[Route]:
    """Every route below ``/images``, and what engines ask registries for.

    Args:
        classic: pulls and loads report their progress as Swarm classic did.
    """
    return [
        *listing.routes(),
        *inspection.routes(),
        *archives.routes(classic=classic),
        *changes.routes(),
        *pull.routes(classic=classic),
        *registry.routes(),
    ]
