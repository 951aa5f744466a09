"""``GET /swarmcore/decisions``: the latest placements and refusals."""

from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.protocols import DecisionRecord, Exchange, Route
from swarmcore_operations.routes.timestamps import show_moment

#: As many as the manager keeps.
_ALL = "1000"
_MOST_DIGITS = 20


def routes() -> list[Route]:
    """The route of this module."""
    return [Route("GET", "/swarmcore/decisions", show_decisions, routed="the manager")]


async def show_decisions(exchange: Exchange) -> None:
    """Send the latest decisions, newest first, at most ``limit``."""
    text = exchange.request.query.get("limit") or _ALL
    if not (text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS):
        raise BadRequest(f"limit={text}: give a number of decisions")
    records = exchange.cluster.decisions(int(text))
    await exchange.send_json([_document(record) for record in records])


def _document(record: DecisionRecord) -> dict[str, Any]:
    return {
        "Time": show_moment(record.time),
        "Name": record.name,
        "Image": record.image,
        "Cause": record.cause,
        "Node": record.node,
        "Asked": record.asked,
        "Fitting": record.fitting,
        "Refused": dict(record.refused),
        "Dropped": list(record.dropped),
        "AboutImage": record.about_image,
        "Error": record.error,
        "Failure": record.failure,
    }
