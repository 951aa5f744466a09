"""The paths that an embedded engine answers, by kind of object."""

from swarmcore.http.routing import Router
from swarmcore.testing.embedded.host import EngineRoute
from swarmcore.testing.embedded.routes import (
    archive,
    containers,
    execs,
    images,
    lifecycle,
    networks,
    stats,
    streams,
    system,
)

#: One for all engines: a thousand of them need one table.
ROUTER: Router[EngineRoute] = Router(
    [
        *system.ROUTES,
        *containers.ROUTES,
        *lifecycle.ROUTES,
        *streams.ROUTES,
        *stats.ROUTES,
        *execs.ROUTES,
        *archive.ROUTES,
        *images.ROUTES,
        *networks.ROUTES,
    ]
)
