"""``POST /containers/{name}/update``: a container grows as far as its node has room."""

import json
from contextlib import ExitStack
from typing import Any

from swarmcore.container_config.resources import claim_after_update
from swarmcore.errors import BadRequest, NotFound
from swarmcore.protocols import Exchange, ResponseHooks, Route
from swarmcore_api_docker.requests import engine_path, locate_container, relay_unknown
from swarmcore_api_docker.route_notes import CONTAINER

_REWRITES = "the node must have room for more"
_SPACE = " \t\r\n"


def routes() -> list[Route]:
    """The one path."""
    path = "/containers/{name}/update"
    return [Route("POST", path, update, routed=CONTAINER, rewrites=_REWRITES)]


async def update(exchange: Exchange) -> None:
    """``POST /containers/{name}/update``; the claim of the container is held during the update."""
    try:
        container, engine = locate_container(exchange)
    except NotFound:
        await relay_unknown(exchange, "containers", exchange.request.params["name"], "update")
        return
    body, node = await exchange.read_body(), engine.node
    changes = read_first_object(body)
    claim = claim_after_update(
        container.detail, changes, node.cpus, cpu_shares_are_cpus=node.cpu_shares_are_cpus
    )
    with ExitStack() as held:
        held.enter_context(exchange.cluster.growing(container, claim))
        shown = engine.settling(container.id, "update")

        async def refresh(status: int) -> None:
            await shown(status)
            held.close()

        await exchange.relay(
            engine,
            engine_path(exchange, "containers", container.id, "update"),
            body=body,
            hooks=ResponseHooks(on_status=refresh),
        )


def read_first_object(body: bytes) -> dict[str, Any]:
    """The first JSON object in *body*; empty where there is none that an engine could read.

    The body goes on as it came, and its faults are for the engine to refuse: releases differ in
    what they accept.  Release 20.10 reads the first object and ignores what follows it.

    Raises:
        BadRequest: the body is nested too deeply to be read here.
    """
    try:
        text = body.decode("utf-8", "replace").lstrip(_SPACE)
        value, _ = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        raise BadRequest("invalid JSON: nested too deeply") from None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
