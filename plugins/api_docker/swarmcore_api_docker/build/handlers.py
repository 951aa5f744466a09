"""Relay builds, and the sessions and tunnels of BuildKit clients, to one engine.

The scheduler chooses an engine for a build.  Image names that moved to another engine are removed
from the chosen engine first, so that the build does not begin with old images.  All later requests
of the same BuildKit client go to that engine; ``BuilderAffinity`` remembers it.
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
from swarmcore.image_supply.transfer import ImageTransfer
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
from swarmcore_api_docker.requests import engine_path
from swarmcore_api_docker.route_notes import BUILD, BUILDER, CHOSEN

#: The first version with BuildKit in engines that are not experimental.
_BUILDKIT = ApiVersion(1, 39)
#: How long a session or an upload waits for the ``/build`` that names it, as in Swarm classic.
_WAIT_SECONDS = 5.0
#: At most this long does reading the engine's images delay the end of a session.
_REFRESH_SECONDS = 5.0
#: The prefix of a build id in a second ``/build`` request, which uploads the context of that build.
_UPLOAD = "upload-request:"
#: The user agent of Docker's own client, which names its session in ``/build``.  buildx does not.
_NAMES_SESSION = "docker-client/"
_SITED = f"{CHOSEN}; of BuildKit where its session is, else {BUILDER}"
_ARGUMENTS = "instructions among buildargs"


def can_buildkit(node: Node) -> bool:
    """Return whether the engine of *node* has BuildKit (Linux, API 1.39 or newer)."""
    linux = node.labels.get("ostype", "linux") == "linux"
    return linux and node.api_version >= _BUILDKIT


class Builds:
    """Handles the requests of builds.

    Args:
        engines: which engines clients use; ``None`` starts without any.
        transfer: copies base images; ``None`` makes a new one.
    """

    def __init__(
        self, engines: BuilderAffinity | None = None, transfer: ImageTransfer | None = None
    ) -> None:
        self._transfer = transfer or ImageTransfer()
        self._engines = engines or BuilderAffinity()
        self._bound = trio.Event()
        self._numbers = itertools.count()

    def routes(self) -> list[Route]:
        """Return all routes of builds."""
        return [
            Route("POST", "/build", self.build, routed=_SITED, rewrites=_ARGUMENTS),
            Route("POST", "/build/cancel", self.cancel, routed=BUILD),
            Route("POST", "/session", self.open_session, routed=BUILDER),
            Route("POST", "/grpc", self.open_grpc, routed=BUILDER),
        ]

    async def build(self, exchange: Exchange) -> None:
        """``POST /build``, for the classic builder and for BuildKit."""
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
        """``POST /session``: a tunnel through which the builder reads files of the client."""
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
        """``POST /grpc``: a tunnel to BuildKit itself; buildx opens several."""
        engine = self._engine_of_client(exchange)
        async with self._using(engine, [_client(exchange)]):
            await remove_moved_names(exchange.cluster, engine)
            await exchange.relay(engine, engine_path(exchange, "grpc"))

    async def cancel(self, exchange: Exchange) -> None:
        """``POST /build/cancel``: relayed to the engine that runs the build."""
        id = exchange.request.query.get("id")
        if not id:
            raise BadRequest("build ID not provided")
        engine = await self._await_build(exchange.cluster, id)
        await exchange.relay(engine, engine_path(exchange, "build", "cancel"))

    # ---- choosing the engine

    def _place_build(self, exchange: Exchange) -> tuple[Engine, list[AffinityKey]]:
        """Choose the engine of a BuildKit build.

        It is the engine of the build's session.  Without a session, it is an engine that fits the
        constraints of the build.  Without constraints, it is the client's engine.

        Returns:
            The engine, and the keys to bind to it.  A build with constraints does not bind the
            client to its engine.

        Raises:
            NoNodeFits: no node fits the constraints, or the node of the session does not.
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
        """Choose the engine of a build by the classic builder.

        An engine where the image will probably be used comes first: on another engine, containers
        would lack the image or use an older image of that name.  Otherwise it is an idle engine,
        preferably one that has the base images found so far.
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
        """Let the scheduler choose among the engines that can build, fewest builds first."""
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
        """Return the engine that *key* is bound to, if that engine answers."""
        node_id = self._engines.find(key, trio.current_time())
        answering: Sequence[Engine] = cluster.engines() if node_id else ()
        return next(
            (each for each in answering if each.node.id == node_id and each.node.health), None
        )

    async def _await(self, cluster: ClusterView, key: AffinityKey) -> Engine | None:
        """Return the engine that *key* is bound to, and wait for a binding up to 5 s.

        Returns:
            The engine; ``None`` if *key* was not bound in time.
        """
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
        """Bind *keys* to *engine* during the block and for one hour after it."""
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
    """Update the cache with the images of a build, and the containers that it left or removed."""
    await engine.refresh_images()
    if classic:  # each step ran in a container
        await engine.refresh_containers()


def _read_build(cluster: ClusterView, query: Query) -> ContainerConfig:
    """Read a build for the scheduler, without references to objects that no node has."""
    nodes = [engine.node for engine in cluster.engines()]
    return read_build(query).informed_by(nodes, all_known=len(nodes) == len(cluster.nodes()))


def _client(exchange: Exchange) -> AffinityKey:
    return AffinityKey("client", exchange.request.client.key)


def _build_path(exchange: Exchange, engine: Engine) -> str:
    query = exchange.request.target.partition("?")[2]
    return f"/build?{query_for_engine(query, engine.node)}" if query else "/build"
