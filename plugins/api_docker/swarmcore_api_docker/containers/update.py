"""``POST /containers/{name}/update``: refuses more resources than the container's node has free."""

import json
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from swarmcore.container_config.resources import claim_after_update
from swarmcore.errors import BadRequest, NotFound
from swarmcore.model import Container
from swarmcore.protocols import Engine, Exchange, ResponseHooks, Route
from swarmcore_api_docker.requests import engine_path, holding_container, relay_unknown
from swarmcore_api_docker.route_notes import CONTAINER

_REWRITES = "the node must have room for more"
_SPACE = " \t\r\n"


def routes() -> list[Route]:
    """Return the route of an update."""
    path = "/containers/{name}/update"
    return [Route("POST", path, update, routed=CONTAINER, rewrites=_REWRITES)]


async def update(exchange: Exchange) -> None:
    """``POST /containers/{name}/update``; the container's new resources are reserved meanwhile."""
    async with AsyncExitStack() as stack:
        try:
            found = await stack.enter_async_context(holding_container(exchange))
        except NotFound:
            await relay_unknown(exchange, "containers", exchange.request.params["name"], "update")
            return
        await _update(exchange, *found)


async def _update(exchange: Exchange, container: Container, engine: Engine) -> None:
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
    """Parse the first JSON object in *body*; the result is empty if an engine would find none.

    The body itself is relayed unchanged and the engine refuses errors in it, because releases
    differ in what they accept.  Release 20.10 reads the first object and ignores the rest.

    Raises:
        BadRequest: the body is nested too deeply to be parsed here.
    """
    try:
        text = body.decode("utf-8", "replace").lstrip(_SPACE)
        value, _ = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        raise BadRequest("invalid JSON: nested too deeply") from None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
