"""``GET /swarmcore/moves``: the latest moves of containers."""

from collections.abc import Collection
from typing import Any

from swarmcore.protocols import Exchange, MoveRecord, Route
from swarmcore_operations.routes.timestamps import show_moment


def routes() -> list[Route]:
    """The route of this module."""
    return [Route("GET", "/swarmcore/moves", show_moves, routed="the manager")]


async def show_moves(exchange: Exchange) -> None:
    """Send the latest move of each container, newest first."""
    moves = exchange.cluster.moves
    unfinished = {each.id for each in moves.unfinished()}
    await exchange.send_json([_document(each, unfinished) for each in moves.latest()])


def _document(move: MoveRecord, unfinished: Collection[str]) -> dict[str, Any]:
    return {
        "ID": move.id,
        "Name": move.name,
        "Source": move.source,
        "Target": move.target,
        "CopyID": move.copy_id,
        "State": move.state,
        "Error": move.error,
        "Attempts": move.attempts,
        "Unfinished": move.id in unfinished,
        "Time": show_moment(move.time),
    }
