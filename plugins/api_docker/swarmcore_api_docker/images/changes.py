"""Tag and remove images on every engine that has them; commit a container to an image.

If some engine refuses, the status is an error and the text has the result of each engine.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import trio

from swarmcore.container_config import SWARM_ID
from swarmcore.container_config.scheduling_labels import FAMILIES
from swarmcore.errors import EngineError, NotFound
from swarmcore.http.messages import Answer, Query
from swarmcore.images import named_ids, shown_image
from swarmcore.json_values import reading_answer
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.protocols import Engine, Exchange, ResponseHooks, Route
from swarmcore_api_docker.compat.version_gates import require_able
from swarmcore_api_docker.fanout.gather import Replies, ask_all, ask_patiently, require_success
from swarmcore_api_docker.images.holders import find_holders
from swarmcore_api_docker.images.moved_names import remove_moved_names
from swarmcore_api_docker.images.new_names import NewNames, join_tag
from swarmcore_api_docker.requests import relay_unknown
from swarmcore_api_docker.route_notes import CONTAINER, HOLDERS

#: Labels that belong to one container alone: its identity and its scheduling instructions.
_OWN_LABELS = (SWARM_ID, *FAMILIES.values())


def routes() -> list[Route]:
    """Return the routes of tagging, removing and committing."""
    return [
        Route("POST", "/images/{name}/tag", tag, routed=HOLDERS),
        Route(
            "DELETE", "/images/{name}", remove, routed=HOLDERS, rewrites="the reports are joined"
        ),
        Route("POST", "/commit", commit, routed=CONTAINER, rewrites="without the manager's labels"),
    ]


async def tag(exchange: Exchange) -> None:
    """``POST /images/{name}/tag``: on every engine that has an image of that name."""
    name = exchange.request.params["name"]
    query = exchange.request.query
    new_names = NewNames(exchange.cluster, join_tag(query.get("repo"), query.get("tag")))
    holders = find_holders(exchange.cluster, name)
    path = f"/images/{quote(name, safe='/:@')}/tag"
    require_success(f"tagging {name}", await _ask(exchange, holders, "POST", path, new_names))
    await exchange.send(Answer(201))


async def remove(exchange: Exchange) -> None:
    """``DELETE /images/{name}``: from every engine that has the image, with one merged report.

    Other engines may still have the name on an older image; there the name is removed, and the
    image stays.
    """
    name, cluster = exchange.request.params["name"], exchange.cluster
    holders = find_holders(cluster, name)
    require_able(holders, "delete", exchange.request.query)
    async with trio.open_nursery() as nursery:
        for engine in cluster.healthy_engines():
            if old := _moved_names(engine.node, name):
                nursery.start_soon(remove_moved_names, cluster, engine, old)
    path = f"/images/{quote(name, safe='/:@')}"
    replies = without_absent(await _ask(exchange, holders, "DELETE", path, NewNames(cluster)))
    require_success(f"removing {name}", replies)
    report: list[Any] = []
    for engine, answer in replies.answers:
        with reading_answer(engine.node.name, f"DELETE /images/{name}"):
            report += answer.json() or ()
    await exchange.send_json(report)


def _moved_names(node: Node, text: str) -> list[str]:
    """Return the moved names on *node* that would keep an engine from removing an image.

    They are *text* itself, and other names of the image that *text* names.
    """
    ids = named_ids(node.images, text)
    moved = node.moved_names
    return [name for name, id in moved.items() if id in ids or name == shown_image(text)]


def without_absent(replies: Replies[Answer]) -> Replies[Answer]:
    """Return *replies* without answers of 404, from engines that have lost the object meanwhile.

    If every engine answered 404, all of *replies* are returned.
    """
    present = [(engine, answer) for engine, answer in replies.answers if answer.status != 404]
    return Replies(present, replies.failures) if present else replies


async def _ask(
    exchange: Exchange, holders: Sequence[Engine], method: str, path: str, new_names: NewNames
) -> Replies[Answer]:
    request = exchange.request
    query = request.target.partition("?")[2]
    target = f"{path}?{query}" if query else path

    async def ask(engine: Engine) -> Answer:
        answer = await ask_patiently(engine, method, target, version=request.version)
        with suppress(EngineError):  # the cache is late; the engine's answer is right
            await (new_names.record(engine) if answer.ok else engine.refresh_images())
        return answer

    return await ask_all(holders, ask)


async def commit(exchange: Exchange) -> None:
    """``POST /commit``: on the engine of the container, which gets the container's full id."""
    query = exchange.request.query
    try:
        container = exchange.cluster.find_container(query.get("container"))
    except NotFound:
        await relay_unknown(exchange, "commit")
        return
    engine = exchange.cluster.engine_of(container)

    async def refresh(status: int) -> None:
        if status < 400:
            await engine.refresh_images()

    path = f"/commit?{_without_labels(query, container).replace(container=container.id)}"
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=refresh))


def _without_labels(query: Query, container: Container) -> Query:
    """Return the query of a commit whose image does not inherit the manager's own labels.

    Otherwise containers of the image would inherit them, too.  A commit cannot remove a label, so
    these labels are set to the empty string, which the manager ignores.
    """
    own = [("changes", f"LABEL {key}=") for key in _OWN_LABELS if key in container.labels]
    return Query([*own, *query])
