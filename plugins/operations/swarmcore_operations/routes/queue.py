"""``GET /swarmcore/queue``: the creates that wait for free resources."""

from typing import Any

from swarmcore.protocols import Exchange, Route, WaitingCreate


def routes() -> list[Route]:
    """The route of this module."""
    return [Route("GET", "/swarmcore/queue", show_queue, routed="the manager")]


async def show_queue(exchange: Exchange) -> None:
    """Send the waiting creates in serving order."""
    await exchange.send_json([_document(each) for each in exchange.cluster.waiting()])


def _document(waiting: WaitingCreate) -> dict[str, Any]:
    return {
        "Name": waiting.name,
        "Image": waiting.image,
        "Priority": waiting.priority,
        "WaitedSeconds": round(waiting.waited_seconds, 1),
        "LeftSeconds": round(waiting.left_seconds, 1),
        "Overtaken": waiting.overtaken,
    }
