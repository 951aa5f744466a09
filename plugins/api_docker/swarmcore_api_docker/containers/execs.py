"""Execs: created in a container, then found by their id and relayed to the engine that has them."""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import trio

from swarmcore.container_config.normalize import with_known_spelling
from swarmcore.errors import BadRequest, EngineError, NotFound, Unavailable
from swarmcore.http.messages import Answer, Headers
from swarmcore.json_values import as_object
from swarmcore.model import State
from swarmcore.protocols import ClusterView, Engine, Exchange, Handler, ResponseHooks, Route
from swarmcore_api_docker.compat.media_types import has_expected_type, output_type_mapper
from swarmcore_api_docker.requests import (
    engine_path,
    locate_container,
    relay_unknown,
    version_of,
)
from swarmcore_api_docker.route_notes import CONTAINER, EXEC

#: An exec is used within seconds of its creation; for a forgotten exec, all engines are asked.
_REMEMBERED = 10_000
#: A slow engine must not hold up the answer that no engine has the exec.
_SEARCH_SECONDS = 10.0

_MapHeaders = Callable[[Headers], Headers]


class Execs:
    """Handles requests for execs, and remembers the engine of each exec that was created here.

    The path of an exec has only its id.  If the id is not remembered, for example because another
    manager created the exec, every engine that answers is asked for it.
    """

    def __init__(self) -> None:
        #: Exec id -> node id, the oldest first.
        self._nodes: OrderedDict[str, str] = OrderedDict()

    def routes(self) -> list[Route]:
        """Return the route of creating an exec, and every route below ``/exec/``."""
        return [
            Route("POST", "/containers/{name}/exec", self.create, routed=CONTAINER),
            Route("POST", "/exec/{id}/start", self.start, routed=EXEC),
            Route("POST", "/exec/{id}/resize", self._carry("resize"), routed=EXEC),
            Route("GET", "/exec/{id}/json", self._carry("json"), routed=EXEC),
        ]

    async def create(self, exchange: Exchange) -> None:
        """``POST /containers/{name}/exec``: also remember the engine of the exec."""
        try:
            container, engine = locate_container(exchange)
        except NotFound:
            await relay_unknown(exchange, "containers", exchange.request.params["name"], "exec")
            return

        def remember(answer: Answer) -> Answer:
            self.remember(str(answer.json()["Id"]), engine.node.id)
            return answer

        path = engine_path(exchange, "containers", container.id, "exec")
        await exchange.relay(engine, path, hooks=ResponseHooks(map_response=remember))

    async def start(self, exchange: Exchange) -> None:
        """``POST /exec/{id}/start``: a tunnel, or with ``Detach`` an empty answer."""
        id = exchange.request.params["id"]
        try:
            engine = await self.find(exchange.cluster, id)
        except NotFound:
            await relay_unknown(exchange, "exec", id, "start")
            return
        path = engine_path(exchange, "exec", id, "start")
        hooks = ResponseHooks(map_headers=await _output_type(exchange, engine))
        await exchange.relay(engine, path, hooks=hooks)

    def _carry(self, verb: str) -> Handler:
        async def carry(exchange: Exchange) -> None:
            id = exchange.request.params["id"]
            try:
                engine = await self.find(exchange.cluster, id)
            except NotFound:
                if verb == "json":
                    raise
                await relay_unknown(exchange, "exec", id, verb)
                return
            await exchange.relay(engine, engine_path(exchange, "exec", id, verb))

        return carry

    def remember(self, exec_id: str, node_id: str) -> None:
        """Remember that the engine of *node_id* has just created *exec_id*."""
        self._nodes[exec_id] = node_id
        self._nodes.move_to_end(exec_id)
        if len(self._nodes) > _REMEMBERED:
            self._nodes.popitem(last=False)

    async def find(self, cluster: ClusterView, exec_id: str) -> Engine:
        """Find the engine that has *exec_id*.

        Raises:
            NotFound: no engine has it; the text is Docker's.
            Unavailable: the engine that has it does not answer, or no engine does.
        """
        remembered = self._remembered(cluster, exec_id)
        if remembered is not None:
            if remembered.node.state is not State.HEALTHY:
                raise Unavailable(
                    f"Exec {exec_id} running on unhealthy node {remembered.node.name}"
                )
            return remembered
        found = await _search(cluster, exec_id)
        if found is None:
            raise NotFound(f"No such exec instance: {exec_id}")
        self.remember(exec_id, found.node.id)
        return found

    def _remembered(self, cluster: ClusterView, exec_id: str) -> Engine | None:
        node_id = self._nodes.get(exec_id)
        if node_id is None:
            return None
        try:
            return cluster.engine(node_id)
        except NotFound:
            del self._nodes[exec_id]
            return None


async def _search(cluster: ClusterView, exec_id: str) -> Engine | None:
    """Ask every engine that answers; the search ends when one has the exec."""
    found: list[Engine] = []
    path = f"/exec/{quote(exec_id, safe='')}/json"
    with trio.move_on_after(_SEARCH_SECONDS):
        async with trio.open_nursery() as nursery:

            async def ask(engine: Engine) -> None:
                try:
                    answer = await engine.call("GET", path)
                except EngineError:
                    return  # the engine's failure is counted already; other engines may have it
                if answer.ok:
                    found.append(engine)
                    nursery.cancel_scope.cancel()

            for engine in cluster.healthy_engines():
                nursery.start_soon(ask, engine)
    return found[0] if found else None


async def _output_type(exchange: Exchange, engine: Engine) -> _MapHeaders | None:
    """Return a hook that adds the media type that an old engine does not send.

    ``Tty`` in the request's body decides whether the output has frames.  A body that cannot be read
    is left to the engine, which refuses it.
    """
    client, newest = version_of(exchange), engine.node.api_version
    if has_expected_type(client, newest):
        return None
    await exchange.read_body()
    with suppress(BadRequest):
        body = with_known_spelling(as_object(await exchange.read_json()), ("Detach", "Tty"))
        if not body.get("Detach"):
            return output_type_mapper(client, newest, terminal=bool(body.get("Tty")))
    return None
