"""All engines together: what API plugins ask and tell.

A facade: ``membership`` knows which engines there are, ``placement`` creates containers, the index
knows names, and each engine owns its state.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from random import Random, SystemRandom
from typing import Protocol

import trio

from swarmcore import protocols
from swarmcore.cluster.broadcast import Broadcast
from swarmcore.cluster.image_ledger import ImageLedger
from swarmcore.cluster.leadership import Leadership, SoleManager
from swarmcore.cluster.membership import Membership, MembershipListener
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
from swarmcore.node import Node
from swarmcore.protocols import (
    Carry,
    DecisionCounts,
    DecisionRecord,
    DiscoveryState,
    EventStream,
    Explanation,
    Placed,
    WaitingCreate,
)
from swarmcore.scheduler import Scheduler
from swarmcore.versions import ApiVersion

log = logging.getLogger(__name__)

_EXPIRY_SECONDS = 1.0


class ClusterListener(MembershipListener, PlacementListener, Protocol):
    """Is told what happens in the cluster, for plugins."""


class Cluster:
    """Implements ``protocols.Cluster``; give ``membership`` to a discovery.

    Args:
        scheduler: places.
        make_engine: builds the engine of an entry.
        listener: told of engines and containers.
        settings: the operator's.
        random: invents names.
        node_settings: what operators decided about nodes.
        leadership: whether this manager places, where it is one of several.
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
        self._random = random or SystemRandom()
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
            invent_id=lambda: secrets.token_hex(32),
            permit=self._leadership.check,
        )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep everything that the cluster owns running until cancelled."""
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

    # ---- itself

    @property
    def id(self) -> str:
        """This manager's identity; stable over restarts, though nothing is stored."""
        return self._id

    @property
    def name(self) -> str:
        """The manager's host name."""
        return self.settings.name

    @property
    def is_primary(self) -> bool:
        """Whether this manager places; see ``protocols.Cluster``."""
        return self._leadership.is_primary

    @property
    def primary(self) -> str:
        """Where the primary is; see ``protocols.Cluster``."""
        return self._leadership.primary

    @property
    def strategy_name(self) -> str:
        """For ``info``."""
        return self._scheduler.strategy_name

    @property
    def filter_names(self) -> Sequence[str]:
        """For ``info``, in the order of the chain."""
        return self._scheduler.filter_names

    @property
    def experimental(self) -> bool:
        """Whether the manager runs with ``--experimental``."""
        return self.settings.experimental

    @property
    def listeners(self) -> int:
        """How many clients follow events now."""
        return self._broadcast.listeners

    @property
    def api_version(self) -> ApiVersion:
        """The newest version that the core and every healthy engine speak."""
        return self.membership.snapshot.api_version

    @property
    def min_api_version(self) -> ApiVersion:
        """The oldest version accepted in a path: 1.24, or what every healthy engine speaks."""
        return self.membership.snapshot.min_api_version

    # ---- engines

    def nodes(self) -> Sequence[Node]:
        """Every node, pending ones too, in the natural order of their names."""
        return [engine.node for engine in self.membership.snapshot.all]

    def engines(self) -> Sequence[Engine]:
        """The registered engines, in the order of ``nodes``."""
        return self.membership.snapshot.registered

    def healthy_engines(self) -> Sequence[Engine]:
        """Those of ``engines`` that answer.

        Raises:
            Unavailable: there are none.
        """
        healthy = self.membership.snapshot.healthy
        if not healthy:
            raise Unavailable("No healthy node available in the cluster")
        return healthy

    def engine(self, node_id: str) -> Engine:
        """The engine of a node.

        Raises:
            NotFound: it has left the cluster.
        """
        return self.membership.by_node(node_id)

    async def refresh(self, *, seconds: float) -> None:
        """Read every healthy engine's containers again, within *seconds*; see ``Membership``."""
        await self.membership.refresh_all(seconds=seconds)

    @property
    def keeps_node_settings(self) -> bool:
        """Whether drains and labels outlive the manager."""
        return self._node_settings.is_kept

    async def drain_node(self, node: Node, drained: Drain | None) -> None:
        """Let *node* take no new containers, or end that; see ``protocols.Cluster``."""
        await self._node_settings.drain(node.address, drained)
        self.membership.apply_settings()
        self._note_change(node.id)
        if drained is None:
            log.info("node %s takes containers again", node.name or node.address)
        else:
            log.info("node %s is drained: %s", node.name or node.address, drained)

    async def label_node(self, node: Node, changes: Mapping[str, str | None]) -> None:
        """Add labels to *node*, take added ones away; see ``protocols.Cluster``."""
        await self._node_settings.label(node.address, changes)
        self.membership.apply_settings()
        self._note_change(node.id)

    @property
    def image_names(self) -> ImageLedger:
        """Which image each name means."""
        return self.membership.image_names

    # ---- containers

    def containers(self) -> Iterator[Container]:
        """Every container of every registered engine."""
        for engine in self.membership.snapshot.registered:
            yield from engine.node.containers.values()

    def find_container(self, text: str) -> Container:
        """By id, swarm id, name, ``node/name`` or unique id prefix.

        Raises:
            NotFound: none; Docker's text.
            BadRequest: a prefix of several, or nothing.
        """
        return self._index.find(text)

    def engine_of(self, container: Container) -> Engine:
        """The engine that holds *container*, able to be asked.

        Raises:
            Unavailable: it does not answer at the moment; the text names the node.
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
        """Where a network or a volume goes; see ``protocols.Cluster``."""
        self._leadership.check()
        among = self.engines() if engines is None else engines
        nodes = [engine.node for engine in among]
        return self.membership.by_node(self._placement.decide(config, nodes).node.id)

    def expecting(
        self, config: ContainerConfig, engine: protocols.Engine, linger: float = 0
    ) -> AbstractContextManager[None]:
        """Count a network or a volume that is being made; see ``protocols.Cluster``."""
        return self._placement.expecting(config, engine.node, linger)

    def bringing(
        self, networks: Sequence[str], engine: protocols.Engine
    ) -> AbstractAsyncContextManager[None]:
        """Have networks that nothing uses on *engine*; see ``protocols.Cluster``."""
        return self._placement.bringing(networks, engine.node)

    def turn(self, engine: protocols.Engine) -> AbstractAsyncContextManager[None]:
        """A slot to have *engine* start something; see ``protocols.Cluster``."""
        return self._placement.slots.slot(engine.node.id)

    def growing(self, container: Container, claim: Claim) -> AbstractContextManager[None]:
        """Hold what an update asks for; see ``protocols.Cluster``."""
        return self._placement.growing(container, claim)

    async def create_container(
        self, config: ContainerConfig, request: Request, carry: Carry | None = None
    ) -> Placed:
        """Place and create; see ``protocols.Cluster``."""
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
        """How discovery does."""
        return self.membership.discovery

    def decision_counts(self) -> DecisionCounts:
        """How many decisions there were; see ``protocols.Cluster``."""
        return self._placement.decisions.counts()

    def waiting(self) -> Sequence[WaitingCreate]:
        """The creates that wait for room; see ``protocols.Cluster``."""
        return self._placement.queue.waiting(trio.current_time())

    def decisions(self, limit: int) -> Sequence[DecisionRecord]:
        """The latest decisions, the newest first; see ``protocols.Cluster``."""
        return self._placement.decisions.latest(limit)

    def _read(self, config: ContainerConfig) -> ContainerConfig:
        return config.with_shares_as_cpus() if self.settings.cpu_shares_are_cpus else config

    async def rename_container(self, container: Container, name: str, request: Request) -> Answer:
        """Rename, holding the new name while the engine works; see ``protocols.Cluster``."""
        engine = self.engine_of(container)
        return await self._completion.finish(
            lambda: rename(self._placement, engine, container, name.removeprefix("/"), request)
        )

    def pull_targets(self, image: str, client: Client) -> Sequence[Engine]:
        """Where *client*'s pull of *image* must go; see ``protocols.Cluster``."""
        waiting = self._placement.pull_targets(image, client.key, trio.current_time())
        return waiting or self.healthy_engines()

    def note_pull(
        self,
        image: str,
        client: Client,
        engine: protocols.Engine,
        error: EngineError | None = None,
    ) -> None:
        """*client*'s pull of *image* on *engine* has ended; see ``protocols.Cluster``."""
        self._placement.note_pull(image, client.key, engine.node, error)

    def pull_failed(self, image: str, client: Client) -> None:
        """*client*'s pull of *image* failed; see ``protocols.Cluster``."""
        self._placement.pull_failed(image, client.key)

    # ---- events

    def follow_events(self) -> AbstractAsyncContextManager[EventStream]:
        """Subscribe to events of all engines and of the cluster itself."""
        return self._broadcast.subscribe()

    def end_events(self) -> None:
        """End every subscription, now and later: the manager stops."""
        self._broadcast.end()

    def end_waiting(self) -> None:
        """Refuse what waits for room: the manager stops."""
        self._placement.queue.close()

    def _note_change(self, node_id: str) -> None:
        """Something changed on a node that decisions depend on."""
        self._placement.note_change(node_id)

    def _invent_name(self) -> str:
        return invent_name(self._random, lambda name: self._index.holder(name) is not None)


@asynccontextmanager
async def open_cluster(cluster: Cluster) -> AsyncIterator[Cluster]:
    """Run *cluster* while the block lasts."""
    async with trio.open_nursery() as nursery:
        await nursery.start(cluster.run)
        yield cluster
        nursery.cancel_scope.cancel()
