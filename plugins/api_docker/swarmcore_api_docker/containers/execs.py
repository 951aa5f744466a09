"""Execs: made in a container, then found by their id and carried to the engine that has them."""

from collections.abc import Callable
from contextlib import suppress

from swarmcore.config.folding import with_known_spelling
from swarmcore.errors import BadRequest, NotFound
from swarmcore.json_values import as_object
from swarmcore.messages import Answer, Headers
from swarmcore.protocols import Engine, Exchange, Handler, ResponseHooks, Route
from swarmcore_api_docker.compat.media_types import name_output, names_output
from swarmcore_api_docker.requests import engine_path, locate_container, relay_unknown, version_of
from swarmcore_api_docker.route_notes import CONTAINER, EXEC

#: Gives the headers of an answer another media type.
_MapHeaders = Callable[[Headers], Headers]


def routes() -> list[Route]:
    """Making an exec, and every route below ``/exec/``."""
    return [
        Route("POST", "/containers/{name}/exec", create_exec, routed=CONTAINER),
        Route("POST", "/exec/{id}/start", start, routed=EXEC),
        Route("POST", "/exec/{id}/resize", _carry("resize"), routed=EXEC),
        Route("GET", "/exec/{id}/json", _carry("json"), routed=EXEC),
    ]


async def start(exchange: Exchange) -> None:
    """``POST /exec/{id}/start``: a tunnel, or with ``Detach`` an empty answer."""
    id = exchange.request.params["id"]
    try:
        engine = await exchange.cluster.find_exec(id)
    except NotFound:
        await relay_unknown(exchange, "exec", id, "start")
        return
    path = engine_path(exchange, "exec", id, "start")
    hooks = ResponseHooks(map_headers=await _output_type(exchange, engine))
    await exchange.relay(engine, path, hooks=hooks)


async def _output_type(exchange: Exchange, engine: Engine) -> _MapHeaders | None:
    """The media type that an old engine does not say: its body's ``Tty`` decides on frames.

    A body that cannot be read is the engine's to refuse.
    """
    asked, spoken = version_of(exchange), engine.node.api_version
    if names_output(asked, spoken):
        return None
    await exchange.read_body()
    with suppress(BadRequest):
        body = with_known_spelling(as_object(await exchange.read_json()), ("Detach", "Tty"))
        if not body.get("Detach"):
            return name_output(asked, spoken, terminal=bool(body.get("Tty")))
    return None


def _carry(verb: str) -> Handler:
    async def carry(exchange: Exchange) -> None:
        id = exchange.request.params["id"]
        try:
            engine = await exchange.cluster.find_exec(id)
        except NotFound:
            if verb == "json":
                raise
            await relay_unknown(exchange, "exec", id, verb)
            return
        await exchange.relay(engine, engine_path(exchange, "exec", id, verb))

    return carry


async def create_exec(exchange: Exchange) -> None:
    """``POST /containers/{name}/exec``: remembers which engine got the exec."""
    try:
        container, engine = locate_container(exchange)
    except NotFound:
        await relay_unknown(exchange, "containers", exchange.request.params["name"], "exec")
        return

    def remember(answer: Answer) -> Answer:
        exchange.cluster.remember_exec(str(answer.json()["Id"]), container)
        return answer

    path = engine_path(exchange, "containers", container.id, "exec")
    await exchange.relay(engine, path, hooks=ResponseHooks(map_response=remember))
