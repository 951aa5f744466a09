"""``_ping``, ``version`` and ``info``, which the manager itself answers."""

import functools
import platform
from datetime import datetime
from importlib import metadata

from swarmcore.http.messages import Answer, Headers
from swarmcore.protocols import ClusterView, Exchange, Route
from swarmcore_api_docker.build.handlers import can_buildkit
from swarmcore_api_docker.route_notes import MANAGER
from swarmcore_api_docker.system.info import describe_info
from swarmcore_api_docker.system.version import ManagerFacts, describe_version

_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_PING_HEADERS: Headers = (
    (b"Content-Type", b"text/plain; charset=utf-8"),
    (b"Swarm", b"inactive"),
    (b"Cache-Control", b"no-cache, no-store, must-revalidate"),
    (b"Pragma", b"no-cache"),
)
_PING = "Builder-Version is 2 where every engine has BuildKit"
_VERSION = "ApiVersion is the newest that every engine speaks"
_INFO = "sums over the engines; nodes in SystemStatus"


def routes(*, classic: bool = False) -> list[Route]:
    """Return the routes of ``_ping``, ``version`` and ``info``.

    Args:
        classic: show releases and sums as Swarm classic did.
    """

    async def version(exchange: Exchange) -> None:
        await show_version(exchange, classic=classic)

    async def info(exchange: Exchange) -> None:
        await show_info(exchange, classic=classic)

    return [
        Route("GET", "/_ping", ping, routed=MANAGER, rewrites=_PING, local=True),
        Route("HEAD", "/_ping", ping, routed=MANAGER, rewrites=_PING, local=True),
        Route("GET", "/version", version, routed=MANAGER, rewrites=_VERSION, local=True),
        Route("GET", "/info", info, routed=MANAGER, rewrites=_INFO, local=True),
    ]


@functools.cache
def this_manager() -> ManagerFacts:
    """Return facts about this process and machine that the documents show."""
    machine = platform.machine()
    try:
        release = metadata.version("swarmcore-api-docker")
    except metadata.PackageNotFoundError:
        release = "0"
    return ManagerFacts(
        release=release,
        python=platform.python_version(),
        kernel=platform.release(),
        os=platform.system().lower(),
        arch=_GO_ARCHITECTURES.get(machine, machine),
        machine=machine,
    )


async def ping(exchange: Exchange) -> None:
    """``GET`` and ``HEAD /_ping``, by which clients negotiate the API version."""
    body = b"" if exchange.request.method == "HEAD" else b"OK"
    builder = (b"Builder-Version", b"2" if _all_buildkit(exchange.cluster) else b"1")
    await exchange.send(Answer(200, (*_PING_HEADERS, builder), body))


def _all_buildkit(cluster: ClusterView) -> bool:
    """Return whether every engine that answers has BuildKit; false if no engine answers."""
    answering = [engine.node for engine in cluster.engines() if engine.node.health]
    return bool(answering) and all(can_buildkit(node) for node in answering)


async def show_version(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /version``."""
    document = describe_version(exchange.cluster, this_manager(), classic=classic)
    await exchange.send_json(document)


async def show_info(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /info``."""
    cluster, now = exchange.cluster, datetime.now().astimezone().isoformat()
    version = exchange.request.version or cluster.api_version
    document = describe_info(cluster, this_manager(), now, version, classic=classic)
    await exchange.send_json(document)
