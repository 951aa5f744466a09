"""The paths of an embedded engine, by kind of object."""

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

#: All engines share one route table; some tests make a thousand engines.
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
