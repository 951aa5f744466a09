"""Images that change where they are: tagged and removed on every holder, made of a container.

When some holder refuses, the status is a failure and the text tells what each did.
"""

from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import quote

import trio

from swarmcore.config import SWARM_ID
from swarmcore.config.instructions import FAMILIES
from swarmcore.errors import EngineError, NotFound
from swarmcore.images import named_ids, shown_image
from swarmcore.messages import Answer, Query
from swarmcore.model import Container
from swarmcore.node import Node
from swarmcore.protocols import Engine, Exchange, ResponseHooks, Route
from swarmcore_api_docker.compat.version_gates import require_able
from swarmcore_api_docker.fanout.gather import Replies, ask_all, ask_patiently, require_success
from swarmcore_api_docker.images.holders import find_holders
from swarmcore_api_docker.images.moved_names import take_away
from swarmcore_api_docker.images.new_names import Naming, tagged
from swarmcore_api_docker.requests import relay_unknown
from swarmcore_api_docker.route_notes import CONTAINER, HOLDERS

#: Of one container alone: who it is, where it may go.
_OWN_LABELS = (SWARM_ID, *FAMILIES.values())


def routes() -> list[Route]:
    """Tagging, removing, committing."""
    return [
        Route("POST", "/images/{name}/tag", tag, routed=HOLDERS),
        Route(
            "DELETE", "/images/{name}", remove, routed=HOLDERS, rewrites="the reports are joined"
        ),
        Route("POST", "/commit", commit, routed=CONTAINER, rewrites="the manager's labels go"),
    ]


async def tag(exchange: Exchange) -> None:
    """``POST /images/{name}/tag``: on all holders, be it one image or several of that name."""
    name = exchange.request.params["name"]
    query = exchange.request.query
    naming = Naming(exchange.cluster, tagged(query.get("repo"), query.get("tag")))
    holders = find_holders(exchange.cluster, name)
    path = f"/images/{quote(name, safe='/:@')}/tag"
    require_success(f"tagging {name}", await _ask(exchange, holders, "POST", path, naming))
    await exchange.send(Answer(201))


async def remove(exchange: Exchange) -> None:
    """``DELETE /images/{name}``: from all holders, their reports joined.

    Where engines still call older images so, they lose the name, and keep the images.
    """
    name, cluster = exchange.request.params["name"], exchange.cluster
    holders = find_holders(cluster, name)
    require_able(holders, "delete", exchange.request.query)
    async with trio.open_nursery() as nursery:
        for engine in cluster.healthy_engines():
            if old := _moved_names(engine.node, name):
                nursery.start_soon(take_away, cluster, engine, old)
    path = f"/images/{quote(name, safe='/:@')}"
    replies = await _ask(exchange, holders, "DELETE", path, Naming(cluster))
    answers = require_success(f"removing {name}", without_absent(replies))
    await exchange.send_json([each for answer in answers for each in answer.json() or ()])


def _moved_names(node: Node, text: str) -> list[str]:
    """The names that moved away on *node* and stand in the way of removing what *text* names: the
    same, and others of the image."""
    ids = named_ids(node.images, text)
    moved = node.moved_names
    return [name for name, id in moved.items() if id in ids or name == shown_image(text)]


def without_absent(replies: Replies[Answer]) -> Replies[Answer]:
    """*replies* less those of engines that have no such object any more, unless none has."""
    present = [(engine, answer) for engine, answer in replies.answers if answer.status != 404]
    return Replies(present, replies.failures) if present else replies


async def _ask(
    exchange: Exchange, holders: Sequence[Engine], method: str, path: str, naming: Naming
) -> Replies[Answer]:
    request = exchange.request
    query = request.target.partition("?")[2]
    target = f"{path}?{query}" if query else path

    async def ask(engine: Engine) -> Answer:
        answer = await ask_patiently(engine, method, target, version=request.version)
        with suppress(EngineError):  # the cache is late; what the engine said is right
            await (naming.settle(engine) if answer.ok else engine.refresh_images())
        return answer

    return await ask_all(holders, ask)


async def commit(exchange: Exchange) -> None:
    """``POST /commit``: on the container's engine, which knows the container by its id."""
    query = exchange.request.query
    try:
        container = exchange.cluster.find_container(query.get("container"))
    except NotFound:
        await relay_unknown(exchange, "commit")
        return
    engine = exchange.cluster.engine_of(container)

    async def settle(status: int) -> None:
        if status < 400:
            await engine.refresh_images()

    path = f"/commit?{_without_labels(query, container).replace(container=container.id)}"
    await exchange.relay(engine, path, hooks=ResponseHooks(on_status=settle))


def _without_labels(query: Query, container: Container) -> Query:
    """A commit that does not hand the manager's labels on: containers of the image would have them.

    An engine takes no label away, so they become empty, which is how they mean nothing.
    """
    own = [("changes", f"LABEL {key}=") for key in _OWN_LABELS if key in container.labels]
    return Query([*own, *query])
