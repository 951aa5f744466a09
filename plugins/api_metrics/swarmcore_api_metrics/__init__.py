"""``GET /metrics``: metrics of the manager in the format of Prometheus."""

from swarmcore import hookimpl
from swarmcore.http.messages import Answer, Headers
from swarmcore.protocols import Exchange, Route
from swarmcore_api_metrics.exposition import CONTENT_TYPE, write_families
from swarmcore_api_metrics.families import describe_cluster, describe_traffic

_HEADERS: Headers = ((b"Content-Type", CONTENT_TYPE),)


@hookimpl
def swarmcore_routes() -> list[Route]:
    """The route of the metrics."""
    return [Route("GET", "/metrics", show_metrics, routed="the manager", local=True)]


async def show_metrics(exchange: Exchange) -> None:
    """Send the current value of every metric; no engine is asked."""
    families = [*describe_cluster(exchange.cluster), *describe_traffic(exchange.traffic())]
    await exchange.send(Answer(200, _HEADERS, write_families(families)))
