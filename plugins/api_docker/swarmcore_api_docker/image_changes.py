"""Images that change where they are: tagged and removed on every holder, made of a container.

When some holder refuses, the status is a failure and the text tells what each did.
"""

from contextlib import suppress
from urllib.parse import quote

from swarmcore.config import SWARM_ID
from swarmcore.config.instructions import FAMILIES
from swarmcore.errors import EngineError
from swarmcore.messages import Answer, Query
from swarmcore.model import Container
from swarmcore.protocols import Engine, Exchange, Route
from swarmcore_api_docker.fan_out import Replies, ask_all
from swarmcore_api_docker.image_holders import find_holders
from swarmcore_api_docker.outcomes import require_success
from swarmcore_api_docker.routed import CONTAINER, HOLDERS
from swarmcore_api_docker.version_gates import require_able
from swarmcore_api_docker.whole_answer import ask_patiently

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
    replies = await _ask_holders(exchange, "POST", f"/images/{quote(name, safe='/:@')}/tag")
    require_success(f"tagging {name}", replies)
    await exchange.send(Answer(201))


async def remove(exchange: Exchange) -> None:
    """``DELETE /images/{name}``: from all holders, their reports joined."""
    name = exchange.request.params["name"]
    replies = await _ask_holders(exchange, "DELETE", f"/images/{quote(name, safe='/:@')}")
    answers = require_success(f"removing {name}", without_absent(replies))
    await exchange.send_json([each for answer in answers for each in answer.json() or ()])


def without_absent(replies: Replies[Answer]) -> Replies[Answer]:
    """*replies* less those of engines that have no such object any more, unless none has."""
    present = [(engine, answer) for engine, answer in replies.answers if answer.status != 404]
    return Replies(present, replies.failures) if present else replies


async def _ask_holders(exchange: Exchange, method: str, path: str) -> Replies[Answer]:
    request = exchange.request
    holders = find_holders(exchange.cluster, request.params["name"])
    if method == "DELETE":
        require_able(holders, "delete", request.query)
    query = request.target.partition("?")[2]
    target = f"{path}?{query}" if query else path

    async def ask(engine: Engine) -> Answer:
        answer = await ask_patiently(engine, method, target, version=request.version)
        with suppress(EngineError):  # the cache is late; what the engine said is right
            await engine.refresh_images()
        return answer

    return await ask_all(holders, ask)


async def commit(exchange: Exchange) -> None:
    """``POST /commit``: on the container's engine, which knows the container by its id."""
    query = exchange.request.query
    container = exchange.cluster.find_container(query.get("container"))
    engine = exchange.cluster.engine_of(container)

    async def settle(status: int) -> None:
        if status < 400:
            await engine.refresh_images()

    path = f"/commit?{_without_labels(query, container).replace(container=container.id)}"
    await exchange.relay(engine, path, settle=settle)


def _without_labels(query: Query, container: Container) -> Query:
    """A commit that does not hand the manager's labels on: containers of the image would have them.

    An engine takes no label away, so they become empty, which is how they mean nothing.
    """
    own = [("changes", f"LABEL {key}=") for key in _OWN_LABELS if key in container.labels]
    return Query([*own, *query])
