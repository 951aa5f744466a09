"""``GET /metrics``: what a manager knows and counts, for Prometheus."""

from swarmcore import hookimpl
from swarmcore.http.messages import Answer, Headers
from swarmcore.protocols import Exchange, Route
from swarmcore_api_metrics.exposition import CONTENT_TYPE, write_families
from swarmcore_api_metrics.families import describe_cluster, describe_traffic

_HEADERS: Headers = ((b"Content-Type", CONTENT_TYPE),)


@hookimpl
def swarmcore_routes() -> list[Route]:
    """The one path."""
    return [Route("GET", "/metrics", show_metrics, routed="the manager", local=True)]


async def show_metrics(exchange: Exchange) -> None:
    """Every metric as it is now; asks no engine."""
    families = [*describe_cluster(exchange.cluster), *describe_traffic(exchange.traffic())]
    await exchange.send(Answer(200, _HEADERS, write_families(families)))
