"""``GET /acme/racks``: which nodes stand where."""

from collections import defaultdict

from swarmcore import hookimpl
from swarmcore.protocols import Exchange, Route


@hookimpl
def swarmcore_routes() -> list[Route]:
    return [Route("GET", "/acme/racks", show_racks, routed="the caches")]


async def show_racks(exchange: Exchange) -> None:
    racks = defaultdict(list)
    for node in exchange.cluster.nodes():
        racks[node.labels.get("rack", "")].append(node.name)
    await exchange.send_json(racks)
