"""Images: listed over all engines, and pulled, loaded, tagged and removed where they belong."""

from swarmcore.protocols import Route
from swarmcore_api_docker.images import archives, changes, inspection, listing, pull, registry


def routes() -> list[Route]:
    """Every route below ``/images``, and what engines ask registries for."""
    return [
        *listing.routes(),
        *inspection.routes(),
        *archives.routes(),
        *changes.routes(),
        *pull.routes(),
        *registry.routes(),
    ]
