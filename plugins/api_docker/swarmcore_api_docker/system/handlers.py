"""``_ping``, ``version`` and ``info``, which the manager itself answers."""

import functools
import platform
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata

from swarmcore import clock
from swarmcore.http.messages import JSON_HEADERS, Answer, Headers, json_answer
from swarmcore.protocols import ClusterView, Exchange, Route
from swarmcore_api_docker.build.handlers import can_buildkit
from swarmcore_api_docker.route_notes import MANAGER
from swarmcore_api_docker.system.kept_info import KeptInfo
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

    kept_pings = OfEngines(_ping_answer), OfEngines(_ping_answer_without_body)
    kept_version = OfEngines(functools.partial(_version_answer, classic=classic))

    async def ping(exchange: Exchange) -> None:
        kept = kept_pings[exchange.request.method == "HEAD"]
        await exchange.send(kept.value(exchange.cluster))

    async def version(exchange: Exchange) -> None:
        await exchange.send(kept_version.value(exchange.cluster))

    kept_info = KeptInfo(this_manager(), classic=classic)

    async def info(exchange: Exchange) -> None:
        now = clock.local_time().isoformat()
        version = exchange.request.version or exchange.cluster.api_version
        encoded = kept_info.encoded(exchange.cluster, now, version)
        await exchange.send(Answer(200, JSON_HEADERS, encoded))

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


class OfEngines:
    """An answer that depends on the engines alone, kept until one of them changes.

    Args:
        make: makes the answer.
    """

    def __init__(self, make: Callable[[ClusterView], Answer]) -> None:
        self._make = make
        self._revision = -1
        self._answer = Answer(500)

    def value(self, cluster: ClusterView) -> Answer:
        """The answer for the engines of now."""
        revision = cluster.revision.descriptions
        if revision != self._revision:
            self._revision, self._answer = revision, self._make(cluster)
        return self._answer


def _ping_answer(cluster: ClusterView) -> Answer:
    """``GET /_ping``, by which clients negotiate the API version."""
    builder = (b"Builder-Version", b"2" if _all_buildkit(cluster) else b"1")
    return Answer(200, (*_PING_HEADERS, builder), b"OK")


def _ping_answer_without_body(cluster: ClusterView) -> Answer:
    """``HEAD /_ping``."""
    return replace(_ping_answer(cluster), body=b"")


def _all_buildkit(cluster: ClusterView) -> bool:
    """Return whether every engine that answers has BuildKit; false if no engine answers."""
    answering = [engine.node for engine in cluster.engines() if engine.node.health]
    return bool(answering) and all(can_buildkit(node) for node in answering)


def _version_answer(cluster: ClusterView, *, classic: bool) -> Answer:
    """``GET /version``."""
    return json_answer(describe_version(cluster, this_manager(), classic=classic))
