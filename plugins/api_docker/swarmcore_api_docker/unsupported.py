"""Documented paths that the manager does not support; each answer names what is missing.

The texts contain ``not supported`` in lower case: ``docker inspect`` and ``docker system prune``
ignore errors with these words.
"""

from swarmcore.errors import NotFound, NotSupported, Unavailable
from swarmcore.protocols import Exchange, Handler, Route
from swarmcore_api_docker.route_notes import MANAGER, REFUSED

_NOT_YET: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("image attestations", ("GET /images/{name}/attestations",)),
)  # fmt: skip
#: Documented paths that make no sense for a cluster of engines.
_NEVER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("engine plugins are", (
        "GET /plugins/privileges", "POST /plugins/pull", "POST /plugins/create",
        "POST /plugins/{name}/enable", "POST /plugins/{name}/disable", "POST /plugins/{name}/push",
        "POST /plugins/{name}/set", "POST /plugins/{name}/upgrade", "DELETE /plugins/{name}",
    )),
    ("making an engine part of a swarm is", (
        "POST /swarm/init", "POST /swarm/join",
    )),
    ("the image graph is", ("GET /images/viz",)),
)  # fmt: skip
#: Swarm mode: the manager answers like an engine outside a swarm.
_SWARM_MODE = (
    "GET /swarm", "POST /swarm/update", "GET /swarm/unlockkey", "POST /swarm/unlock",
    "GET /nodes", "GET /nodes/{id}", "DELETE /nodes/{id}", "POST /nodes/{id}/update",
    "GET /services", "POST /services/create", "GET /services/{id}", "DELETE /services/{id}",
    "GET /services/{id}/logs", "POST /services/{id}/update",
    "GET /tasks", "GET /tasks/{id}", "GET /tasks/{id}/logs",
    "GET /secrets", "POST /secrets/create", "GET /secrets/{id}", "DELETE /secrets/{id}",
    "POST /secrets/{id}/update",
    "GET /configs", "POST /configs/create", "GET /configs/{id}", "DELETE /configs/{id}",
    "POST /configs/{id}/update",
)  # fmt: skip
_NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect '
    "this node to swarm and try again."
)


def routes() -> list[Route]:
    """Return a route for every documented path that has no other handler."""
    found = [
        Route("GET", "/plugins", _no_plugins, routed=f"{MANAGER}: an empty list"),
        Route("GET", "/plugins/{name}/json", _no_plugin, routed=f"{REFUSED}: 404"),
    ]
    for what, paths in _NOT_YET:
        text = f"{what}: not supported by this manager yet"
        found += _routes(paths, _refuse(text), f"{REFUSED}: 501, {what}")
    for what, paths in _NEVER:
        text = f"{what} not supported by a manager of many engines"
        found += _routes(paths, _refuse(text), f"{REFUSED}: 501, {what.rpartition(' ')[0]}")
    outside = f"{REFUSED}: 503, as outside a swarm"
    found.append(Route("POST", "/swarm/leave", _leave, routed=outside))
    return found + _routes(_SWARM_MODE, _outside_swarm, outside)


def _routes(paths: tuple[str, ...], handler: Handler, routed: str) -> list[Route]:
    split = (path.split(" ") for path in paths)
    return [Route(method, template, handler, routed=routed) for method, template in split]


def _refuse(text: str) -> Handler:
    async def refuse(exchange: Exchange) -> None:
        raise NotSupported(text)

    return refuse


async def _outside_swarm(exchange: Exchange) -> None:
    raise Unavailable(_NO_SWARM)


async def _leave(exchange: Exchange) -> None:
    raise Unavailable("This node is not part of a swarm")


async def _no_plugins(exchange: Exchange) -> None:
    await exchange.send_json([])


async def _no_plugin(exchange: Exchange) -> None:
    raise NotFound(f'plugin "{exchange.request.params["name"]}" not found')
