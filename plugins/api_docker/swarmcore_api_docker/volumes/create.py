"""``POST /volumes/create``: on the node that has the name already, otherwise on a chosen node."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from swarmcore import chance
from swarmcore.container_config.normalize import with_known_spelling
from swarmcore.errors import BadRequest
from swarmcore.http.messages import JSON_HEADERS, Answer, dump_json
from swarmcore.json_values import UNREADABLE
from swarmcore.node import Node
from swarmcore.protocols import ClusterView, Engine, Exchange, ResponseHooks, Route
from swarmcore.request_limits import check_labels
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.colocation import (
    Colocation,
    answering_engine,
    split_node,
    with_node_constraint,
)
from swarmcore_api_docker.fanout.gather import ask_all, require_success
from swarmcore_api_docker.requests import client_answer, engine_path, refresh_quietly
from swarmcore_api_docker.route_notes import CHOSEN, HOLDER
from swarmcore_api_docker.volumes.plugins import discover_plugins

#: Before this version, engines refuse a create without a body.
_NEEDS_NO_BODY = ApiVersion(1, 42)
#: The engine's own driver, which refuses names with slashes.
_OWN_DRIVER = "local"
_ROUTED = f"{HOLDER}, else {CHOSEN}"


def routes(*, everywhere: bool) -> list[Route]:
    """Return the route of the create.

    Args:
        everywhere: make a volume on every node, as in Swarm classic.
    """

    async def make(exchange: Exchange) -> None:
        await create(exchange, everywhere=everywhere)

    return [Route("POST", "/volumes/create", make, routed=_ROUTED, rewrites="node/ of Name")]


async def create(exchange: Exchange, *, everywhere: bool = False) -> None:
    """``POST /volumes/create``.

    A create of an existing name returns the existing volume.  An empty name is passed on unchanged:
    the engine makes up a name and marks the volume as anonymous, and a prune needs that mark.

    Args:
        exchange: the client's request.
        everywhere: make it on each node that its labels allow, unless the client names a node.
    """
    body = await exchange.read_json()
    if not isinstance(body, dict | None):
        raise BadRequest("a volume's body is a JSON object")
    check_labels(with_known_spelling(body or {}, ("Labels",)).get("Labels"))
    raw = await exchange.read_body()
    if not raw.strip() and (raw or exchange.cluster.api_version < _NEEDS_NO_BODY):
        raise BadRequest("got EOF while reading request body")
    read = with_known_spelling(body or {}, ("Name", "Labels", "Driver"))
    cluster = exchange.cluster
    driver = str(read.get("Driver") or _OWN_DRIVER)
    plugin = "" if driver == _OWN_DRIVER else driver
    pinned, name = split_node(cluster.nodes(), str(read.get("Name") or ""), slashes=bool(plugin))
    if plugin:
        await discover_plugins(cluster, [plugin])
    colocation = Colocation(cluster, read.get("Labels"), volume=name, plugin=plugin)
    if everywhere and not pinned:
        await _create_everywhere(exchange, read, colocation)
        return
    node = pinned or _holder(cluster, name)
    engine = answering_engine(cluster, node, f"volume {name}") if node else colocation.choose()
    if name:
        read["Name"] = name
    if pinned:
        read["Labels"] = with_node_constraint(read.get("Labels"), pinned)
    path = engine_path(exchange, "volumes", "create")
    created = _CreatedVolume(engine)
    with colocation.expected_on(engine):
        sent = dump_json(read) if raw else b""
        hooks = ResponseHooks(map_response=created.record, on_status=created.refresh)
        await exchange.relay(engine, path, body=sent, hooks=hooks)


async def _create_everywhere(
    exchange: Exchange, read: Mapping[str, Any], colocation: Colocation
) -> None:
    """Make a volume of one name on every node that *colocation* allows."""
    name = str(read.get("Name") or chance.token_hex(32))
    path, body = engine_path(exchange, "volumes", "create"), dump_json({**read, "Name": name})

    async def ask(engine: Engine) -> Answer:
        answer = await engine.call("POST", path, body=body, headers=JSON_HEADERS)
        return _CreatedVolume(engine).record(answer) if answer.ok else answer

    engines = colocation.allowed(exchange.cluster.healthy_engines())
    answers = require_success(f"creating volume {name}", await ask_all(engines, ask))
    await exchange.send(client_answer(answers[-1]))


class _CreatedVolume:
    """Puts a volume into the cache when an engine has made it.

    Args:
        engine: the engine that makes it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_recorded = False

    def record(self, answer: Answer) -> Answer:
        """Put the volume in the engine's answer, whether new or existing, into the cache."""
        with suppress(*UNREADABLE):  # the client gets the answer, however odd
            self._engine.put_volume(answer.json())
            self._is_recorded = True
        return answer

    async def refresh(self, status: int) -> None:
        """Read the engine's volumes if its answer did not describe the volume."""
        if not self._is_recorded:
            await refresh_quietly(self._engine.refresh_volumes)


def _holder(cluster: ClusterView, name: str) -> Node | None:
    """Return the node that has, or is about to have, a volume of that name.

    Among several nodes, one that answers is preferred.
    """
    nodes = [engine.node for engine in cluster.engines()]
    there = [node for node in nodes if name and node.has_volume(name)]
    return next((node for node in there if node.health), there[0] if there else None)
