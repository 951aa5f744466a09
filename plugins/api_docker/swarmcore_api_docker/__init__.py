"""The Docker Engine API for a whole cluster: ``docker`` and its relatives speak to this.

The core has no Docker route; all of them are in this plugin.
"""

from collections.abc import Mapping

from swarmcore import hookimpl
from swarmcore.compat import is_classic
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
from swarmcore_api_docker.images.transfer import Carrier

NAMES_OPTION = "swarm.names"


@hookimpl
def swarmcore_routes(options: Mapping[str, str]) -> list[Route]:
    """Every path that Docker documents, supported or not.

    Raises:
        ConfigError: an option has a value that it cannot have.
    """
    classic, carrier = is_classic(options), Carrier()
    return [
        *system.routes(classic=classic),
        *containers.routes(carrier, read_name_style(options), classic=classic),
        *images.routes(),
        *prune.routes(),
        *networks.routes(classic=classic),
        *volumes.routes(classic=classic),
        *Builds(carrier=carrier).routes(),
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
