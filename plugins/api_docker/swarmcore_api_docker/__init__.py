"""The Docker Engine API for a whole cluster; the core has no Docker route of its own.

There is a folder for each kind of object.  ``fanout`` puts one request on several engines, and
``compat`` has what Go's formats and the API versions of clients and engines ask for.
"""

from collections.abc import Mapping

from swarmcore import hookimpl
from swarmcore.classic_compat import is_classic
from swarmcore.errors import ConfigError
from swarmcore.protocols import Route
from swarmcore_api_docker import (
    containers,
    images,
    networks,
    prune,
    system,
    unsupported,
    volumes,
)
from swarmcore_api_docker.build.handlers import Builds
from swarmcore_api_docker.containers.summary import NameStyle
from swarmcore_api_docker.images.transfer import ImageTransfer

NAMES_OPTION = "swarm.names"


@hookimpl
def swarmcore_routes(options: Mapping[str, str]) -> list[Route]:
    """Every path that Docker documents, supported or not.

    Raises:
        ConfigError: ``swarm.names`` has an unknown value.
    """
    classic, transfer = is_classic(options), ImageTransfer()
    return [
        *system.routes(classic=classic),
        *containers.routes(transfer, read_name_style(options), classic=classic),
        *images.routes(classic=classic),
        *prune.routes(),
        *networks.routes(classic=classic),
        *volumes.routes(classic=classic),
        *Builds(transfer=transfer).routes(),
        *unsupported.routes(),
    ]


def read_name_style(options: Mapping[str, str]) -> NameStyle:
    """``--cluster-opt swarm.names=``: ``plain`` (default), ``classic`` (default under
    ``swarm.compat=classic``) or ``both``."""
    match options.get(NAMES_OPTION, "classic" if is_classic(options) else "plain"):
        case "plain":
            return "plain"
        case "classic":
            return "classic"
        case "both":
            return "both"
        case other:
            raise ConfigError(f"--cluster-opt {NAMES_OPTION}={other}: use plain, classic or both")
