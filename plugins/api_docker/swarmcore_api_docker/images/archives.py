"""Images as archives: saved from one engine, loaded or imported into every engine that answers."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.image_supply.progress import Report, report_answer
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore_api_docker.compat.version_gates import able_engines, require_able
from swarmcore_api_docker.fanout.classic_progress import ClassicProgress
from swarmcore_api_docker.fanout.progress import AggregateProgress
from swarmcore_api_docker.fanout.upload import upload_to_all
from swarmcore_api_docker.images.holders import agreed_holder, find_common_holders, find_holders
from swarmcore_api_docker.images.new_names import NewNames, join_tag
from swarmcore_api_docker.requests import client_headers, engine_path
from swarmcore_api_docker.route_notes import ALL, HOLDER

_ID = re.compile(r"sha256:[0-9a-f]{64}")


def routes(*, classic: bool = False) -> list[Route]:
    """Return the routes of saving and loading; ``pull`` has the route of an import.

    Args:
        classic: report the progress of loads as Swarm classic did.
    """
    return [
        Route("GET", "/images/{name}/get", save, routed=HOLDER),
        Route("GET", "/images/get", save_several, routed=HOLDER),
        Route(
            "POST",
            "/images/load",
            partial(load, classic=classic),
            routed=ALL,
            rewrites="ids of progress: node and id",
        ),
    ]  # fmt: skip


async def save(exchange: Exchange) -> None:
    """``GET /images/{name}/get``: from an engine that has the image."""
    name = exchange.request.params["name"]
    holders = find_holders(exchange.cluster, name, to_save=True)
    engine = agreed_holder(able_engines(holders, "save", exchange.request.query), name)
    await exchange.relay(engine, engine_path(exchange, "images", name, "get"))


async def save_several(exchange: Exchange) -> None:
    """``GET /images/get?names=``: from one engine that has all the images."""
    query = exchange.request.query
    names = query.get_all("names")
    if not names:
        raise BadRequest("names is missing: which images to save")
    holders = await find_common_holders(exchange.cluster, names)
    engine = able_engines(holders, "save", query)[0]
    await exchange.relay(engine, engine_path(exchange, "images", "get"))


async def load(exchange: Exchange, *, classic: bool = False) -> None:
    """``POST /images/load``: the archive goes to every engine as it arrives."""
    engines = exchange.cluster.healthy_engines()
    require_able(engines, "load", exchange.request.query)
    kind = exchange.request.header("content-type") or "application/x-tar"
    path = engine_path(exchange, "images", "load")
    headers = ((b"Content-Type", kind.encode("latin-1")),)
    new_names = NewNames(exchange.cluster)
    await upload_to_all(
        exchange,
        engines,
        path,
        "load",
        on_progress=new_names.note_progress,
        on_done=new_names.record,
        headers=headers,
        is_result=None if classic else _is_loaded,
        classic=ClassicProgress("Loading Image...") if classic else None,
    )


def _is_loaded(message: Mapping[str, Any]) -> bool:
    """Return whether a line of progress names a loaded image.

    A load with ``quiet`` has no other lines.
    """
    return str(message.get("stream")).startswith("Loaded image")


async def import_image(exchange: Exchange) -> None:
    """``POST /images/create?fromSrc=``: ``-`` is the body, anything else a URL for the engines.

    An engine writes the time into an imported image, so the image has the same name and another id
    on each engine.  The client gets the id of one engine, because scripts expect one id as the
    output of an import.
    """
    engines, query = exchange.cluster.healthy_engines(), exchange.request.query
    path, headers = f"/images/create?{query}", client_headers(exchange)
    new_names = NewNames(exchange.cluster, join_tag(query.get("repo"), query.get("tag")))
    if query.get("fromSrc") == "-":
        await upload_to_all(
            exchange,
            engines,
            path,
            "import",
            on_progress=new_names.note_progress,
            on_done=new_names.record,
            headers=headers,
            is_result=_is_id,
        )
        return

    async def fetch(engine: Engine, report: Report) -> None:
        version = exchange.request.version
        async with engine.open("POST", path, headers=headers, version=version) as got:
            await report_answer(engine, got, report)
        await new_names.record(engine)

    await AggregateProgress(exchange, engines, "import", fetch, is_result=_is_id).run()


def _is_id(message: Mapping[str, Any]) -> bool:
    """Return whether a line of progress is the new image's id."""
    return _ID.fullmatch(str(message.get("status"))) is not None
