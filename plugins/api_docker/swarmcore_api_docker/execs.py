"""Execs by id: carried to the engine that holds them."""

from swarmcore.protocols import Exchange, Handler, Route
from swarmcore_api_docker.containers import engine_path
from swarmcore_api_docker.routed import EXEC


def routes() -> list[Route]:
    """Every route below ``/exec/``."""
    return [
        Route("POST", "/exec/{id}/start", _carry("start"), routed=EXEC),
        Route("POST", "/exec/{id}/resize", _carry("resize"), routed=EXEC),
        Route("GET", "/exec/{id}/json", _carry("json"), routed=EXEC),
    ]


def _carry(verb: str) -> Handler:
    async def carry(exchange: Exchange) -> None:
        id = exchange.request.params["id"]
        engine = await exchange.cluster.find_exec(id)
        await exchange.relay(engine, engine_path(exchange, "exec", id, verb))

    return carry
