"""The Docker Engine API for a whole cluster; the core itself has no Docker route.

There is one folder for each kind of object.  ``fanout`` sends one request to several engines.
``compat`` handles differences between API versions of clients and engines, and Docker's stream
formats.
"""

from collections.abc import Mapping

from swarmcore import hookimpl
from swarmcore.classic_compat import is_classic
from swarmcore.errors import ConfigError
from swarmcore.image_supply.transfer import ImageTransfer
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

NAMES_OPTION = "swarm.names"


@hookimpl
def swarmcore_routes(options: Mapping[str, str]) -> list[Route]:
    """Return a route for every path that Docker documents, supported or not.

    Args:
        options: the cluster options (``--cluster-opt``) by name.

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
    """Read ``--cluster-opt swarm.names=``: how lists show container names.

    Returns:
        ``plain`` (default), ``classic`` (default with ``swarm.compat=classic``) or ``both``.

    Raises:
        ConfigError: the option has another value.
    """
    match options.get(NAMES_OPTION, "classic" if is_classic(options) else "plain"):
        case "plain":
            return "plain"
        case "classic":
            return "classic"
        case "both":
            return "both"
        case other:
            raise ConfigError(f"--cluster-opt {NAMES_OPTION}={other}: use plain, classic or both")
