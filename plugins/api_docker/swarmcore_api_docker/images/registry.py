"""Requests that engines make to registries: login, search, lookup and push.

The client's credentials are sent only to the engine that asks the registry.
"""

from swarmcore.errors import Conflict, EngineUnreachable
from swarmcore.http.messages import Answer, Headers
from swarmcore.images import familiar_image
from swarmcore.protocols import Exchange, ResponseHooks, Route
from swarmcore_api_docker.compat.stream_errors import ProgressErrorTail
from swarmcore_api_docker.fanout.gather import ask_patiently
from swarmcore_api_docker.images.holders import choose_pusher
from swarmcore_api_docker.images.moved_names import remove_moved_names
from swarmcore_api_docker.requests import client_answer, client_headers, engine_path
from swarmcore_api_docker.route_notes import ANY, HOLDER


def routes() -> list[Route]:
    """Return the routes of login, search, lookup and push."""
    return [
        Route("POST", "/auth", check_login, routed=ANY),
        Route("GET", "/images/search", search, routed=ANY),
        Route("GET", "/distribution/{name}/json", describe, routed=ANY),
        Route("POST", "/images/{name}/push", push, routed=f"{HOLDER}, else {ANY}"),
    ]


async def check_login(exchange: Exchange) -> None:
    """``POST /auth``: one engine tries the credentials at the registry and does not keep them."""
    body = await exchange.read_body()
    kind = exchange.request.header("content-type") or "application/json"
    headers = ((b"Content-Type", kind.encode("latin-1")),)
    await _ask_any(exchange, engine_path(exchange, "auth"), headers, body)


async def search(exchange: Exchange) -> None:
    """``GET /images/search``."""
    await _ask_any(exchange, engine_path(exchange, "images", "search"))


async def describe(exchange: Exchange) -> None:
    """``GET /distribution/{name}/json``: the registry's description of an image."""
    name = exchange.request.params["name"]
    await _ask_any(exchange, engine_path(exchange, "distribution", name, "json"))


async def _ask_any(
    exchange: Exchange, path: str, headers: Headers = (), body: bytes | None = None
) -> None:
    """Ask the engines in the order of their names, and relay the first answer below 500.

    An engine that cannot reach the registry answers 500 or above, or does not answer.  If every
    engine does so, the last answer is relayed.

    Raises:
        EngineUnreachable: no engine answered.
    """
    request = exchange.request
    headers = (*headers, *client_headers(exchange))
    engines = list(exchange.cluster.healthy_engines())
    answer: Answer | None = None
    async with exchange.watching():
        for engine in engines:
            try:
                answer = await ask_patiently(
                    engine, request.method, path, body=body, headers=headers,
                    version=request.version,
                )  # fmt: skip
            except EngineUnreachable:
                if engine is engines[-1] and answer is None:
                    raise
                continue
            if answer.status < 500:
                break
    if answer is not None:
        await exchange.send(client_answer(answer))


async def push(exchange: Exchange) -> None:
    """``POST /images/{name}/push``: from one engine that has the tag, or has the most tags."""
    name = exchange.request.params["name"]
    query = exchange.request.query
    engine = choose_pusher(exchange.cluster, name, query)
    if not query.get("tag"):
        # The engine pushes all its tags, including tags that have moved to another image.
        prefix = f"{familiar_image(name)}:"
        moved = [each for each in engine.node.moved_names if each.startswith(prefix)]
        await remove_moved_names(exchange.cluster, engine, moved)
        if left := [each for each in moved if each in engine.node.moved_names]:
            raise Conflict(
                f"{', '.join(left)} on node {engine.node.name} is not the image that the name was"
                " last given: push the tags one by one"
            )

    async def refresh(status: int) -> None:
        await engine.refresh_images()  # the images have digests of the registry from now on

    path = engine_path(exchange, "images", name, "push")
    hooks = ResponseHooks(on_status=refresh, on_status_at="end", on_engine_lost=ProgressErrorTail())
    await exchange.relay(engine, path, hooks=hooks)
