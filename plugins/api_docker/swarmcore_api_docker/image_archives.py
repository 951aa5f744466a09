"""Images as archives: ``docker save`` from one engine, ``docker load`` into all that answer."""

from collections.abc import Mapping
from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.protocols import Exchange, Route
from swarmcore_api_docker.containers import engine_path
from swarmcore_api_docker.image_holders import agreed_holder, find_common_holders, find_holders
from swarmcore_api_docker.naming import Naming
from swarmcore_api_docker.routed import ALL, HOLDER
from swarmcore_api_docker.tee import send_to_all
from swarmcore_api_docker.version_gates import able_engines, require_able


def routes() -> list[Route]:
    """Saving and loading."""
    return [
        Route("GET", "/images/{name}/get", save, routed=HOLDER),
        Route("GET", "/images/get", save_several, routed=HOLDER),
        Route("POST", "/images/load", load, routed=ALL, rewrites="ids of progress: node and id"),
    ]


async def save(exchange: Exchange) -> None:
    """``GET /images/{name}/get``: from an engine that has it."""
    name = exchange.request.params["name"]
    holders = find_holders(exchange.cluster, name, to_save=True)
    engine = agreed_holder(able_engines(holders, "save", exchange.request.query), name)
    await exchange.relay(engine, engine_path(exchange, "images", name, "get"))


async def save_several(exchange: Exchange) -> None:
    """``GET /images/get?names=``: from one engine that has all of them."""
    query = exchange.request.query
    names = query.get_all("names")
    if not names:
        raise BadRequest("names is missing: which images to save")
    holders = await find_common_holders(exchange.cluster, names)
    engine = able_engines(holders, "save", query)[0]
    await exchange.relay(engine, engine_path(exchange, "images", "get"))


async def load(exchange: Exchange) -> None:
    """``POST /images/load``: the archive goes to every engine as it comes."""
    engines = exchange.cluster.healthy_engines()
    require_able(engines, "load", exchange.request.query)
    kind = exchange.request.header("content-type") or "application/x-tar"
    path = engine_path(exchange, "images", "load")
    headers = ((b"Content-Type", kind.encode("latin-1")),)
    naming = Naming(exchange.cluster)
    await send_to_all(
        exchange, engines, path, "load", naming=naming, headers=headers, is_result=_is_loaded
    )


def _is_loaded(message: Mapping[str, Any]) -> bool:
    """Whether a line of progress names what was loaded; a load with ``quiet`` has no others."""
    return str(message.get("stream")).startswith("Loaded image")
