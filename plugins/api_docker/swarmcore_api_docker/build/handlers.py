"""Building images: the classic builder, and BuildKit with its sessions.

The scheduler chooses an engine, which loses the image names that mean other images by now, lest it
builds on these; everything of one BuildKit client then goes there (which one is
``build_engines``' to know).  Contexts, progress and tunnels are carried, never read.
"""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
import trio
from swarmcore.config import ContainerConfig
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
from swarmcore.protocols import Cluster, ClusterView, Placing, Engine, Exchange, Route, ResponseHooks
from swarmcore.versions import ApiVersion
from swarmcore_api_docker.route_notes import BUILD
from swarmcore_api_docker.route_notes import BUILDER
from swarmcore_api_docker.build.base_images import BaseImages
from swarmcore_api_docker.build.affinity import BuilderAffinity
from swarmcore_api_docker.build.error_hints import ErrorHints
from swarmcore_api_docker.route_notes import CHOSEN
from swarmcore_api_docker.images.transfer import ImageTransfer
from swarmcore_api_docker.build.affinity import Key
from swarmcore_api_docker.compat.stream_errors import ProgressErrorTail
from swarmcore_api_docker.build.query import asks_for_node
from swarmcore_api_docker.requests import engine_path
from swarmcore_api_docker.colocation import has_any_image
from swarmcore_api_docker.images.archives import load
from swarmcore_api_docker.build.query import query_for_engine
from swarmcore_api_docker.build.query import read_build
from swarmcore_api_docker.images.moved_names import remove_moved_names
from swarmcore_api_docker.colocation import wants_image


#: BuildKit without an experimental engine.
_BUILDKIT = ApiVersion(1, 39)
#: How long a session or an upload waits for the build that names it, as classic did.
_WAIT_SECONDS = 5.0
#: How long the image list may hold up the end of a session.
_REFRESH_SECONDS = 5.0
#: What precedes the id of the build whose context a second ``/build`` brings.
_UPLOAD = "upload-request:"
#: Docker's own client names the session again in ``/build``; buildx, another client, does not.
_NAMES_SESSION = "docker-client/"
_SITED = f"{CHOSEN}; of BuildKit where its session is, else {BUILDER}"
_ARGUMENTS = "instructions among buildargs"


def can_buildkit(node: Node) -> bool:
    """Whether the engine of *node* has BuildKit."""
    linux = node.labels.get("ostype", "linux") == "linux"
    return linux and node.api_version >= _BUILDKIT


class Builds:
    """Answers what builders ask.

    Args:
        engines: who builds where; ``None`` starts empty.
        transfer: brings images; ``None`` makes one.
    """

    def __init__(self, engines: BuilderAffinity | None = None, transfer: ImageTransfer | None = None) -> None:
        self._transfer = transfer or ImageTransfer()
        self._engines = engines or BuilderAffinity()
        self._bound = trio.Event()
        self._numbers = itertools.count()

    def routes(self) -> list[Route]:
        """Every route of building."""
        return [
            Route("POST", "/build", self.build, routed=_SITED, rewrites=_ARGUMENTS),
            Route("POST", "/build/cancel", self.cancel, routed=BUILD),
            Route("POST", "/session", self.open_session, routed=BUILDER),
            Route("POST", "/grpc", self.open_grpc, routed=BUILDER),
        ]

    async def build(self, exchange: Exchange) -> None:
        """``POST /build``, of either builder."""
        query, cluster = exchange.request.query, exchange.cluster
        id = query.get("buildid")
        classic = query.get("version") != "2"
        bases = BaseImages(exchange, self._transfer)
        if classic:
            await bases.read_ahead()
            engine = self._choose_by_tag(cluster, query, bases)
            keys = [Key("build", id or f"#{next(self._numbers)}")]
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
                    on_status=lambda status: _settle(engine, classic=classic),
                    on_status_at="end",
                    map_data=ErrorHints(engine.node, cluster.nodes()).alter,
                    on_engine_lost=ProgressErrorTail(),
                ),
                pieces=bases.next_piece,
            )

    async def open_session(self, exchange: Exchange) -> None:
        """``POST /session``: a tunnel by which the builder reads the client's files."""
        id = exchange.request.header("x-docker-expose-session-uuid")
        keys = [Key("session", id)] if id else []
        agent = (exchange.request.header("user-agent") or "").lower()
        engine = None
        if id and agent.startswith(_NAMES_SESSION):
            engine = await self._await(exchange.cluster, Key("session", id))
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
        """``POST /grpc``: a tunnel to the builder itself, as buildx opens several."""
        engine = self._engine_of_client(exchange)
        async with self._using(engine, [_client(exchange)]):
            await remove_moved_names(exchange.cluster, engine)
            await exchange.relay(engine, engine_path(exchange, "grpc"))

    async def cancel(self, exchange: Exchange) -> None:
        """``POST /build/cancel``: to the engine of that build."""
        id = exchange.request.query.get("id")
        if not id:
            raise BadRequest("build ID not provided")
        engine = await self._await_build(exchange.cluster, id)
        await exchange.relay(engine, engine_path(exchange, "build", "cancel"))

    # ---- where

    def _place_build(self, exchange: Exchange) -> tuple[Engine, list[Key]]:
        """BuildKit's engine: where its session is, else where it asks for, else the client's.

        Returns:
            The engine, and who is bound to it.  A build that asks for a node binds only itself.

        Raises:
            NoNodeFits: no node can take it, or not the one where its session is.
        """
        query, cluster = exchange.request.query, exchange.cluster
        config = _read_build(cluster, query)
        named = (Key("session", query.get("session")), Key("build", query.get("buildid")))
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
            found = None  # what is under way there goes on, what begins goes elsewhere
        return found or self._choose(exchange.cluster, ContainerConfig.parse({}), buildkit=True)

    def _choose_by_tag(self, cluster: Cluster, query: Query, bases: BaseImages) -> Engine:
        """The classic builder's engine: where the image is likely to be wanted, else any that is
        idle, of these one that has what is known of the build's bases.

        Elsewhere it would be missing there, or an older one of that name would be used.
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
        """The scheduler's choice among all that can, those with the fewest builds first."""
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

    def _find(self, cluster: ClusterView, key: Key) -> Engine | None:
        """The engine that *key* is bound to, while it answers."""
        node_id = self._engines.find(key, trio.current_time())
        answering: Sequence[Engine] = cluster.engines() if node_id else ()
        return next(
            (each for each in answering if each.node.id == node_id and each.node.health), None
        )

    async def _await(self, cluster: ClusterView, key: Key) -> Engine | None:
        """The engine of *key*, bound now or soon."""
        with trio.move_on_after(_WAIT_SECONDS):
            while True:
                bound, engine = self._bound, self._find(cluster, key)
                if engine is not None:
                    return engine
                await bound.wait()
        return None

    async def _await_build(self, cluster: ClusterView, id: str) -> Engine:
        engine = await self._await(cluster, Key("build", id))
        if engine is None:
            raise NotFound(f"no build {id} is under way on a node that answers")
        return engine

    @asynccontextmanager
    async def _using(self, engine: Engine, keys: Sequence[Key]) -> AsyncIterator[None]:
        """Bind *keys* to *engine* while the block lasts, and long after."""
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


async def _settle(engine: Engine, *, classic: bool) -> None:
    """Have the cache show what a build made, and what it left or took away on its way."""
    await engine.refresh_images()
    if classic:  # each step had a container
        await engine.refresh_containers()


def _read_build(cluster: ClusterView, query: Query) -> ContainerConfig:
    """A build as placement reads it; what exists nowhere is the engine's to tell."""
    nodes = [engine.node for engine in cluster.engines()]
    return read_build(query).informed_by(nodes, all_known=len(nodes) == len(cluster.nodes()))


def _client(exchange: Exchange) -> Key:
    return Key("client", exchange.request.client.key)


def _build_path(exchange: Exchange, engine: Engine) -> str:
    query = exchange.request.target.partition("?")[2]
    return f"/build?{query_for_engine(query, engine.node)}" if query else "/build"
