"""Routes for operating a manager: nodes, decisions, queue, moves."""

from swarmcore import hookimpl
from swarmcore.protocols import Route
from swarmcore_operations.routes import decisions, moves, nodes, queue


@hookimpl
def swarmcore_routes() -> list[Route]:
    return [*nodes.routes(), *decisions.routes(), *queue.routes(), *moves.routes()]
