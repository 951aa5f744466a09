"""Relay builds, and the sessions and tunnels of BuildKit's clients, to one engine.

The scheduler chooses an engine for a build.  Moved image names are removed from it first, so that
the build does not begin with old images.  Every request of one BuildKit client then goes to that
engine; ``BuilderAffinity`` remembers it.
"""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import trio

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import (
    BadRequest,
    EngineError,
    EngineUnreachable,
    NoNodeFits,
    NotFound,
    Unavailable,
)
from swarmcore.http.messages import Query
from swarmcore.node import Node
from swarmcore.protocols import (
    Cluster,
    ClusterView,
    Engine,
    Exchange,
    Placing,
    ResponseHooks,
    Route,
)
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.build.affinity import AffinityKey, BuilderAffinity
from swarmcore_api_docker.build.base_images import BaseImages
from swarmcore_api_docker.build.error_hints import ErrorHints
from swarmcore_api_docker.build.query import asks_for_node, query_for_engine, read_build
from swarmcore_api_docker.colocation import has_any_image, wants_image
from swarmcore_api_docker.compat.stream_errors import ProgressErrorTail
from swarmcore_api_docker.images.moved_names import remove_moved_names
from swarmcore_api_docker.images.transfer import ImageTransfer
from swarmcore_api_docker.requests import engine_path
from swarmcore_api_docker.route_notes import BUILD, BUILDER, CHOSEN

#: The first version with BuildKit in engines that are not experimental.
_BUILDKIT = ApiVersion(1, 39)
#: How long a session or an upload waits for the build that names it, as in Swarm classic.
_WAIT_SECONDS = 5.0
#: How long reading the images may delay the end of a session.
_REFRESH_SECONDS = 5.0
#: The prefix of a build id in a second ``/build`` request, which uploads the context of that build.
_UPLOAD = "upload-request:"
#: The user agent of Docker's own client, which names the session in ``/build``; buildx does not.
_NAMES_SESSION = "docker-client/"
_SITED = f"{CHOSEN}; of BuildKit where its session is, else {BUILDER}"
_ARGUMENTS = "instructions among buildargs"


def can_buildkit(node: Node) -> bool:
    """Whether the engine of *node* has BuildKit."""
    linux = node.labels.get("ostype", "linux") == "linux"
    return linux and node.api_version >= _BUILDKIT


class Builds:
    """Answers the requests of builds.

    Args:
        engines: remembers the engines of clients; ``None`` starts empty.
        transfer: copies base images; ``None`` makes one.
    """

    def __init__(
        self, engines: BuilderAffinity | None = None, transfer: ImageTransfer | None = None
    ) -> None:
        self._transfer = transfer or ImageTransfer()
        self._engines = engines or BuilderAffinity()
        self._bound = trio.Event()
        self._numbers = itertools.count()

    def routes(self) -> list[Route]:
        """Every route of builds."""
        return [
            Route("POST", "/build", self.build, routed=_SITED, rewrites=_ARGUMENTS),
            Route("POST", "/build/cancel", self.cancel, routed=BUILD),
            Route("POST", "/session", self.open_session, routed=BUILDER),
            Route("POST", "/grpc", self.open_grpc, routed=BUILDER),
        ]

    async def build(self, exchange: Exchange) -> None:
        """``POST /build``, for both builders."""
        query, cluster = exchange.request.query, exchange.cluster
        id = query.get("buildid")
        classic = query.get("version") != "2"
        bases = BaseImages(exchange, self._transfer)
        if classic:
            await bases.read_ahead()
            engine = self._choose_by_tag(cluster, query, bases)
            keys = [AffinityKey("build", id or f"#{next(self._numbers)}")]
        elif id.startswith(_UPLOAD):
            engine = await self._await_build(cluster, id.removeprefix(_UPLOAD))
            keys = []
        else:
            engine, keys = self._place_build(exchange)
        async with self._using(engine, keys):
            await remove_moved_names(cluster, engine)
            bases.bind(engine)
            await exchange.relay(
                engine,
                _build_path(exchange, engine),
                hooks=ResponseHooks(
                    on_status=lambda status: _refresh(engine, classic=classic),
                    on_status_at="end",
                    map_data=ErrorHints(engine.node, cluster.nodes()).map_data,
                    on_engine_lost=ProgressErrorTail(),
                ),
                pieces=bases.next_piece,
            )

    async def open_session(self, exchange: Exchange) -> None:
        """``POST /session``: a tunnel through which the builder reads the client's files."""
        id = exchange.request.header("x-docker-expose-session-uuid")
        keys = [AffinityKey("session", id)] if id else []
        agent = (exchange.request.header("user-agent") or "").lower()
        engine = None
        if id and agent.startswith(_NAMES_SESSION):
            engine = await self._await(exchange.cluster, AffinityKey("session", id))
        if engine is None:
            engine = self._engine_of_client(exchange)
            keys.append(_client(exchange))
        async with self._using(engine, keys):
            await remove_moved_names(exchange.cluster, engine)
            try:
                await exchange.relay(engine, engine_path(exchange, "session"))
            finally:
                with (
                    suppress(EngineError),
                    trio.move_on_after(_REFRESH_SECONDS, shield=True),
                ):
                    await engine.refresh_images()

    async def open_grpc(self, exchange: Exchange) -> None:
        """``POST /grpc``: a tunnel to the builder itself; buildx opens several."""
        engine = self._engine_of_client(exchange)
        async with self._using(engine, [_client(exchange)]):
            await remove_moved_names(exchange.cluster, engine)
            await exchange.relay(engine, engine_path(exchange, "grpc"))

    async def cancel(self, exchange: Exchange) -> None:
        """``POST /build/cancel``: relayed to the engine of that build."""
        id = exchange.request.query.get("id")
        if not id:
            raise BadRequest("build ID not provided")
        engine = await self._await_build(exchange.cluster, id)
        await exchange.relay(engine, engine_path(exchange, "build", "cancel"))

    # ---- choosing the engine

    def _place_build(self, exchange: Exchange) -> tuple[Engine, list[AffinityKey]]:
        """The engine of a BuildKit build.

        It is the engine of the build's session; else one that fits the constraints of the build;
        else the client's engine.

        Returns:
            The engine, and the keys to bind to it.  The client is not bound to the engine of a
            build with constraints.

        Raises:
            NoNodeFits: no node fits, or the node of the session does not.
        """
        query, cluster = exchange.request.query, exchange.cluster
        config = _read_build(cluster, query)
        named = (
            AffinityKey("session", query.get("session")),
            AffinityKey("build", query.get("buildid")),
        )
        keys = [key for key in named if key.name]
        found = self._find(cluster, keys[0]) if keys else None
        if found is not None:
            return cluster.choose(config, [found]) if asks_for_node(config) else found, keys
        if not asks_for_node(config):
            return self._engine_of_client(exchange), [*keys, _client(exchange)]
        sticky = self._find(cluster, _client(exchange))
        if sticky is not None:
            with suppress(NoNodeFits):
                return cluster.choose(config, [sticky]), keys
        return self._choose(cluster, config, buildkit=True), keys

    def _engine_of_client(self, exchange: Exchange) -> Engine:
        client = _client(exchange)
        found = self._find(exchange.cluster, client)
        if found is not None and found.node.drained and not self._engines.is_used(client):
            found = None  # the node is being drained, and none of the client's requests is on it
        return found or self._choose(exchange.cluster, ContainerConfig.parse({}), buildkit=True)

    def _choose_by_tag(self, cluster: Cluster, query: Query, bases: BaseImages) -> Engine:
        """The engine of a build by the classic builder.

        It is an engine where the image is likely to be used: elsewhere it would be missing, or an
        older image of that name would be used.  Else it is an idle engine, preferably one that has
        the base images that are known already.
        """
        config, tags = _read_build(cluster, query), query.get_all("t")
        for wants in (wants_image, has_any_image) if tags else ():
            engines = [each for each in cluster.healthy_engines() if wants(each.node, tags)]
            with suppress(NoNodeFits):
                return self._choose_idle(cluster, config, engines)
        return self._choose(cluster, config, bases)

    def _choose(
        self,
        cluster: Cluster,
        config: ContainerConfig,
        bases: BaseImages | None = None,
        *,
        buildkit: bool = False,
    ) -> Engine:
        """The scheduler's choice among the engines that can build, with the fewest builds first."""
        able = [
            each for each in cluster.healthy_engines() if not buildkit or can_buildkit(each.node)
        ]
        if not able:
            raise Unavailable(
                "no node that answers has BuildKit (Linux, API 1.39 or newer):"
                " build with DOCKER_BUILDKIT=0"
            )
        return self._choose_idle(cluster, config, able, bases)

    def _choose_idle(
        self,
        cluster: Placing,
        config: ContainerConfig,
        able: Sequence[Engine],
        bases: BaseImages | None = None,
    ) -> Engine:
        loads = [self._engines.load(each.node.id) for each in able]
        idlest = [each for each, load in zip(able, loads, strict=True) if load == min(loads)]
        ready = [each for each in idlest if bases is not None and bases.are_on(each.node)]
        for engines in (ready, idlest):
            with suppress(NoNodeFits):
                return cluster.choose(config, engines)
        return cluster.choose(config, able)

    def _find(self, cluster: ClusterView, key: AffinityKey) -> Engine | None:
        """The engine that *key* is bound to, if it answers."""
        node_id = self._engines.find(key, trio.current_time())
        answering: Sequence[Engine] = cluster.engines() if node_id else ()
        return next(
            (each for each in answering if each.node.id == node_id and each.node.health), None
        )

    async def _await(self, cluster: ClusterView, key: AffinityKey) -> Engine | None:
        """The engine that *key* is bound to now or within a few seconds; ``None`` otherwise."""
        with trio.move_on_after(_WAIT_SECONDS):
            while True:
                bound, engine = self._bound, self._find(cluster, key)
                if engine is not None:
                    return engine
                await bound.wait()
        return None

    async def _await_build(self, cluster: ClusterView, id: str) -> Engine:
        engine = await self._await(cluster, AffinityKey("build", id))
        if engine is None:
            raise NotFound(f"no build {id} is under way on a node that answers")
        return engine

    @asynccontextmanager
    async def _using(self, engine: Engine, keys: Sequence[AffinityKey]) -> AsyncIterator[None]:
        """Bind *keys* to *engine* during the block, and for an hour after it."""
        self._engines.begin(keys, engine.node.id)
        self._bound.set()
        self._bound = trio.Event()
        try:
            yield
        except EngineUnreachable:
            self._engines.forget(keys)
            raise
        finally:
            self._engines.end(keys, trio.current_time())


async def _refresh(engine: Engine, *, classic: bool) -> None:
    """Have the cache show the images of a build, and the containers that it left or removed."""
    await engine.refresh_images()
    if classic:  # each step ran in a container
        await engine.refresh_containers()


def _read_build(cluster: ClusterView, query: Query) -> ContainerConfig:
    """A build as the scheduler reads it, without references to objects that exist nowhere."""
    nodes = [engine.node for engine in cluster.engines()]
    return read_build(query).informed_by(nodes, all_known=len(nodes) == len(cluster.nodes()))


def _client(exchange: Exchange) -> AffinityKey:
    return AffinityKey("client", exchange.request.client.key)


def _build_path(exchange: Exchange, engine: Engine) -> str:
    query = exchange.request.target.partition("?")[2]
    return f"/build?{query_for_engine(query, engine.node)}" if query else "/build"
