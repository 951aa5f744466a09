"""``POST /volumes/create``: where the name exists, or is being made, else on one node."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from swarmcore.config.folding import with_known_spelling
from swarmcore.errors import BadRequest
from swarmcore.messages import Answer, dump_json
from swarmcore.node import Node
from swarmcore.protocols import Cluster, Engine, Exchange, ResponseHooks, Route
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.colocation import Site, answering_engine, pinned_labels, split_node
from swarmcore_api_docker.fanout.gather import ask_all, require_success
from swarmcore_api_docker.requests import client_answer, engine_path, refresh_quietly
from swarmcore_api_docker.route_notes import CHOSEN, HOLDER
from swarmcore_api_docker.volumes.plugins import look_for_plugins

#: Engines of older versions refuse a create without a body.
_NEEDS_NO_BODY = ApiVersion(1, 42)
_JSON = ((b"Content-Type", b"application/json"),)
#: Takes names without slashes only.
_OWN_DRIVER = "local"


_ROUTED = f"{HOLDER}, else {CHOSEN}"


def routes(*, everywhere: bool) -> list[Route]:
    """The one path.

    Args:
        everywhere: a volume is made on every node, as in Swarm classic.
    """

    async def make(exchange: Exchange) -> None:
        await create(exchange, everywhere=everywhere)

    return [Route("POST", "/volumes/create", make, routed=_ROUTED, rewrites="node/ of Name")]


async def create(exchange: Exchange, *, everywhere: bool = False) -> None:
    """``POST /volumes/create``: where the name exists, or is being made, else on one node.

    With *everywhere* it is made on each node that its labels allow, unless one is named.

    Creating twice gives the first one again.  Without a name the engine invents one, and marks
    the volume as anonymous, which prune looks at.
    """
    body = await exchange.read_json()
    if not isinstance(body, dict | None):
        raise BadRequest("a volume's body is a JSON object")
    raw = await exchange.read_body()
    if not raw.strip() and (raw or exchange.cluster.api_version < _NEEDS_NO_BODY):
        raise BadRequest("got EOF while reading request body")
    read = with_known_spelling(body or {}, ("Name", "Labels", "Driver"))
    cluster = exchange.cluster
    driver = str(read.get("Driver") or _OWN_DRIVER)
    plugin = "" if driver == _OWN_DRIVER else driver
    pinned, name = split_node(cluster.nodes(), str(read.get("Name") or ""), slashes=bool(plugin))
    if plugin:
        await look_for_plugins(cluster, [plugin])
    site = Site(cluster, read.get("Labels"), volume=name, plugin=plugin)
    if everywhere and not pinned:
        await _create_everywhere(exchange, read, site)
        return
    there = pinned or _holder(cluster, name)
    engine = answering_engine(cluster, there, f"volume {name}") if there else site.choose()
    if name:
        read["Name"] = name
    if pinned:
        read["Labels"] = pinned_labels(read.get("Labels"), pinned)
    path = engine_path(exchange, "volumes", "create")

    made = _Made(engine)
    with site.expected_on(engine):
        sent = dump_json(read) if raw else b""
        hooks = ResponseHooks(map_response=made.see, on_status=made.settle)
        await exchange.relay(engine, path, body=sent, hooks=hooks)


async def _create_everywhere(exchange: Exchange, read: Mapping[str, Any], site: Site) -> None:
    """Make one volume of one name on every node that *site* allows; all or an error."""
    name = str(read.get("Name") or secrets.token_hex(32))
    path, body = engine_path(exchange, "volumes", "create"), dump_json({**read, "Name": name})

    async def ask(engine: Engine) -> Answer:
        answer = await engine.call("POST", path, body=body, headers=_JSON)
        return _Made(engine).see(answer) if answer.ok else answer

    engines = site.allowed(exchange.cluster.healthy_engines())
    answers = require_success(f"creating volume {name}", await ask_all(engines, ask))
    await exchange.send(client_answer(answers[-1]))


class _Made:
    """A volume that an engine is asked to make.

    Args:
        engine: makes it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_shown = False

    def see(self, answer: Answer) -> Answer:
        """The engine has made it, or had it: its answer is what a list says."""
        with suppress(ValueError, KeyError, TypeError):  # an odd answer is the client's, too
            self._engine.put_volume(answer.json())
            self._is_shown = True
        return answer

    async def settle(self, status: int) -> None:
        """Have the cache show the volume."""
        if not self._is_shown:
            await refresh_quietly(self._engine.refresh_volumes)


def _holder(cluster: Cluster, name: str) -> Node | None:
    """The node that has a volume of that name, or is about to; one that answers if there is one."""
    nodes = [engine.node for engine in cluster.engines()]
    there = [node for node in nodes if name and node.has_volume(name)]
    return next((node for node in there if node.health), there[0] if there else None)
