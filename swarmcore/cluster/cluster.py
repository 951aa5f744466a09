"""The cluster as API plugins use it: implements ``protocols.Cluster``.

A facade: ``membership`` manages the engines, ``placement`` creates containers, the name index finds
containers, and each engine owns its state.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from random import Random
from typing import Protocol

import trio

from swarmcore import chance, protocols
from swarmcore.cluster.broadcast import Broadcast
from swarmcore.cluster.image_ledger import ImageLedger
from swarmcore.cluster.leadership import Leadership, SoleManager
from swarmcore.cluster.membership import Membership, MembershipListener
from swarmcore.cluster.moves.local_volumes import check_volumes
from swarmcore.cluster.moves.move import Mover
from swarmcore.cluster.node_settings import NodeSettingsStore
from swarmcore.cluster.placement.create import Create
from swarmcore.cluster.placement.placement import Placement, PlacementListener
from swarmcore.cluster.rename import free_stale_name, rename
from swarmcore.cluster.settings import ClusterSettings, identify
from swarmcore.concurrency import Completion
from swarmcore.container_config import ContainerConfig
from swarmcore.engine import Engine, EngineRegistry
from swarmcore.errors import EngineError, NotFound, Unavailable
from swarmcore.http.messages import Answer, Client, Request
from swarmcore.model import Claim, Container, Drain, Entry, State
from swarmcore.names import NameIndex, invent_name
from swarmcore.node import Node, Revision
from swarmcore.protocols import (
    Carry,
    DecisionCounts,
    DecisionRecord,
    DiscoveryState,
    EventStream,
    Explanation,
    Fence,
    Placed,
    WaitingCreate,
)
from swarmcore.scheduler import Scheduler
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

_EXPIRY_SECONDS = 1.0


class ClusterListener(MembershipListener, PlacementListener, Protocol):
    """Receives the events that plugins are notified of."""

    def fences(self, node: Node) -> Sequence[Fence]:
        """What plugins do before the containers of a lost node are copied."""
        ...


class Cluster:
    """Implements ``protocols.Cluster``.  Its ``membership`` is the sink for a discovery.

    Args:
        scheduler: decides where containers are placed.
        make_engine: builds the engine of a discovery entry; must not do I/O.
        listener: notified of engines and containers.
        settings: the operator's settings; ``None`` takes the defaults.
        random: source of randomness for invented names.
        node_settings: drains and labels that operators set.
        leadership: whether this manager may place; ``None`` for a manager that is the only one.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        make_engine: Callable[[Entry, EngineRegistry[Engine]], Engine],
        listener: ClusterListener,
        settings: ClusterSettings | None = None,
        random: Random | None = None,
        node_settings: NodeSettingsStore | None = None,
        leadership: Leadership | None = None,
    ) -> None:
        self.settings = settings or ClusterSettings()
        self._leadership = leadership or SoleManager()
        self._id = identify(self.settings.name)
        self._scheduler = scheduler
        self._index = NameIndex(lambda id: self.membership.by_node(id).node.name)
        self._broadcast = Broadcast()
        self._random = random or chance.source()
        self._node_settings = node_settings or NodeSettingsStore()
        self.membership = Membership(
            make_engine,
            self._index,
            self._broadcast,
            listener,
            self._node_settings,
            self._note_change,
        )
        self._completion = Completion()
        self._placement = Placement(
            scheduler,
            self.membership,
            self._index,
            listener,
            self.settings,
            invent_name=self._invent_name,
            invent_id=lambda: chance.token_hex(32),
            permit=self._leadership.check,
        )
        self.moves = Mover(self._placement, listener.fences, self._completion)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the tasks of the cluster until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._completion.run)
            await nursery.start(self.membership.run)
            nursery.start_soon(self._expire)
            nursery.start_soon(self._placement.relocation.run)
            nursery.start_soon(self._placement.queue.run)
            task_status.started()

    async def _expire(self) -> None:
        while True:
            await trio.sleep(_EXPIRY_SECONDS)
            self._placement.expire(trio.current_time())
            self.moves.give_up_copies()

    # ---- the manager

    @property
    def id(self) -> str:
        """This manager's id; the same after every restart on one machine."""
        return self._id

    @property
    def name(self) -> str:
        """The manager's host name."""
        return self.settings.name

    @property
    def is_primary(self) -> bool:
        """See ``protocols.Cluster``."""
        return self._leadership.is_primary

    @property
    def primary(self) -> str:
        """See ``protocols.Cluster``."""
        return self._leadership.primary

    @property
    def strategy_name(self) -> str:
        """See ``protocols.Cluster``."""
        return self._scheduler.strategy_name

    @property
    def filter_names(self) -> Sequence[str]:
        """See ``protocols.Cluster``."""
        return self._scheduler.filter_names

    @property
    def experimental(self) -> bool:
        """Whether the manager runs with ``--experimental``."""
        return self.settings.experimental

    @property
    def listeners(self) -> int:
        """See ``protocols.Cluster``."""
        return self._broadcast.listeners

    @property
    def api_version(self) -> ApiVersion:
        """See ``protocols.Cluster``."""
        return self.membership.snapshot.api_version

    @property
    def min_api_version(self) -> ApiVersion:
        """See ``protocols.Cluster``."""
        return self.membership.snapshot.min_api_version

    # ---- engines

    @property
    def revision(self) -> Revision:
        """See ``protocols.Cluster``."""
        return self.membership.revision

    def nodes(self) -> Sequence[Node]:
        """See ``protocols.Cluster``."""
        return self.membership.snapshot.nodes

    def engines(self) -> Sequence[Engine]:
        """The registered engines, in the order of ``nodes``."""
        return self.membership.snapshot.registered

    def healthy_engines(self) -> Sequence[Engine]:
        """The registered engines that answer.

        Raises:
            Unavailable: no engine is healthy.
        """
        healthy = self.membership.snapshot.healthy
        if not healthy:
            raise Unavailable("No healthy node available in the cluster")
        return healthy

    def engine(self, node_id: str) -> Engine:
        """The engine of a node.

        Raises:
            NotFound: the node has left the cluster.
        """
        return self.membership.by_node(node_id)

    async def refresh(self, *, seconds: float) -> None:
        """See ``Membership.refresh_all``."""
        await self.membership.refresh_all(seconds=seconds)

    @property
    def keeps_node_settings(self) -> bool:
        """See ``protocols.Cluster``."""
        return self._node_settings.is_kept

    async def drain_node(self, node: Node, drained: Drain | None) -> None:
        """Drain *node*, or end its drain; see ``protocols.Cluster``."""
        await self._node_settings.drain(node.address, drained)
        self.membership.settings_changed()
        self._leadership.check()  # the next primary may have read the former settings
        what = "takes containers again" if drained is None else f"is drained: {drained}"
        log.info("node %s %s", node.name or node.address, what)

    async def label_node(self, node: Node, changes: Mapping[str, str | None]) -> None:
        """Add labels to *node* or remove added labels; see ``protocols.Cluster``."""
        await self._node_settings.label(node.address, changes)
        self.membership.settings_changed()
        self._leadership.check()

    @property
    def image_names(self) -> ImageLedger:
        """Which image each image name refers to."""
        return self.membership.image_names

    # ---- containers

    def containers(self) -> Iterator[Container]:
        """Every container of every registered engine."""
        for engine in self.membership.snapshot.registered:
            yield from engine.node.containers.values()

    def find_container(self, text: str) -> Container:
        """Find a container by id, swarm id, name, ``node/name`` or unique id prefix.

        Raises:
            NotFound: no container matches; the text is Docker's.
            BadRequest: an id prefix matches several containers, or *text* is empty.
        """
        return self._index.find(text)

    def engine_of(self, container: Container) -> Engine:
        """The engine that holds *container*.

        Raises:
            NotFound: the engine has left the cluster.
            Unavailable: the engine is unhealthy; the text names its node.
        """
        try:
            engine = self.membership.by_node(container.node_id)
        except NotFound:
            raise NotFound(f"No such container: {container.name or container.id}") from None
        if engine.node.state is not State.HEALTHY:
            raise Unavailable(
                f"Container {container.name or container.id} running on unhealthy node"
                f" {engine.label}"
            )
        return engine

    def choose(
        self, config: ContainerConfig, engines: Sequence[protocols.Engine] | None = None
    ) -> Engine:
        """Choose the engine for a network or a volume; see ``protocols.Cluster``."""
        self._leadership.check()
        among = self.engines() if engines is None else engines
        nodes = [engine.node for engine in among]
        return self.membership.by_node(self._placement.decide(config, nodes).node.id)

    def expecting(
        self, config: ContainerConfig, engine: protocols.Engine, linger: float = 0
    ) -> AbstractContextManager[None]:
        """Count a network or a volume that is being created; see ``protocols.Cluster``."""
        return self._placement.expecting(config, engine.node, linger)

    def bringing(
        self, networks: Sequence[str], engine: protocols.Engine
    ) -> AbstractAsyncContextManager[None]:
        """Move unused networks to *engine*; see ``protocols.Cluster``."""
        return self._placement.bringing(networks, engine.node)

    def turn(self, engine: protocols.Engine) -> AbstractAsyncContextManager[None]:
        """Take a slot for starting something on *engine*; see ``protocols.Cluster``."""
        return self._placement.slots.slot(engine.node.id)

    def growing(self, container: Container, claim: Claim) -> AbstractContextManager[None]:
        """Reserve the additional resources of an update; see ``protocols.Cluster``."""
        return self._placement.growing(container, claim)

    async def create_container(
        self, config: ContainerConfig, request: Request, carry: Carry | None = None
    ) -> Placed:
        """Place and create a container; see ``protocols.Cluster``."""
        create = Create(self._placement, self._read(config), request, carry)
        try:
            return await self._completion.finish(create.run)
        except trio.Cancelled:
            create.abandon()
            raise

    async def explain_container(self, config: ContainerConfig) -> Explanation:
        """Say where a create would go, and why; see ``protocols.Cluster``."""
        await free_stale_name(self._placement, config.name)
        read = self._read(config)
        await self._placement.rehearse(read)
        return self._placement.explain(read)

    @property
    def discovery(self) -> DiscoveryState:
        """The status of discovery."""
        return self.membership.discovery

    def decision_counts(self) -> DecisionCounts:
        """See ``protocols.Cluster``."""
        return self._placement.decisions.counts()

    def waiting(self) -> Sequence[WaitingCreate]:
        """See ``protocols.Cluster``."""
        return self._placement.queue.waiting(trio.current_time())

    def decisions(self, limit: int) -> Sequence[DecisionRecord]:
        """See ``protocols.Cluster``."""
        return self._placement.decisions.latest(limit)

    def _read(self, config: ContainerConfig) -> ContainerConfig:
        if not self.settings.classic:
            check_volumes(config, self.nodes())
        return config.with_shares_as_cpus() if self.settings.cpu_shares_are_cpus else config

    async def rename_container(self, container: Container, name: str, request: Request) -> Answer:
        """Rename a container; see ``protocols.Cluster``."""
        engine = self.engine_of(container)
        return await self._completion.finish(
            lambda: rename(self._placement, engine, container, name.removeprefix("/"), request)
        )

    def pull_targets(self, image: str, client: Client) -> Sequence[Engine]:
        """The engines on which to pull *image*; see ``protocols.Cluster``."""
        waiting = self._placement.pull_targets(image, client.key, trio.current_time())
        return waiting or self.healthy_engines()

    def note_pull(
        self,
        image: str,
        client: Client,
        engine: protocols.Engine,
        error: EngineError | None = None,
    ) -> None:
        """Record the end of a pull on one engine; see ``protocols.Cluster``."""
        self._placement.note_pull(image, client.key, engine.node, error)

    def pull_failed(self, image: str, client: Client) -> None:
        """Release what creates reserved for a failed pull; see ``protocols.Cluster``."""
        self._placement.pull_failed(image, client.key)

    # ---- events

    def follow_events(self) -> AbstractAsyncContextManager[EventStream]:
        """Subscribe to the events of all engines and of the cluster itself."""
        return self._broadcast.subscribe()

    def end_events(self) -> None:
        """End all current and future subscriptions: the manager stops."""
        self._broadcast.end()

    def end_waiting(self) -> None:
        """Refuse all creates that wait for free resources: the manager stops."""
        self._placement.queue.close()

    def _note_change(self, node_id: str) -> None:
        self._placement.note_change(node_id)

    def _invent_name(self) -> str:
        return invent_name(self._random, lambda name: self._index.holder(name) is not None)


@asynccontextmanager
async def open_cluster(cluster: Cluster) -> AsyncIterator[Cluster]:
    """Run *cluster* while the block runs."""
    async with trio.open_nursery() as nursery:
        await nursery.start(cluster.run)
        yield cluster
        nursery.cancel_scope.cancel()
