"""The engines of the cluster: starts and stops them by discovery's list, and checks identities.

Owns the engines' tasks and passes on their notifications.  Engines connect by themselves.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import trio

from swarmcore import clock
from swarmcore.addresses import Address
from swarmcore.cluster.broadcast import Broadcast
from swarmcore.cluster.departures import Departures
from swarmcore.cluster.image_ledger import ImageLedger
from swarmcore.cluster.moves.duplicates import Duplicates
from swarmcore.cluster.node_settings import NodeSettingsStore
from swarmcore.cluster.orphans import Orphans
from swarmcore.cluster.snapshot import EngineSnapshot
from swarmcore.engine import Engine, EngineRegistry
from swarmcore.engine.cache.documents import Stale
from swarmcore.engine.specs import Specs
from swarmcore.errors import EngineError, NotFound
from swarmcore.events import cluster_event, move_event
from swarmcore.model import Container, Entry, Event, State
from swarmcore.names import NameIndex
from swarmcore.node import Node, Revision, Spanning, swarm_node_id
from swarmcore.protocols import DiscoveryState

log = logging.getLogger(__name__)

#: Interval at which ``refresh_all`` checks whether every engine has answered or failed.
_LOOK_AGAIN_SECONDS = 0.05


class MembershipListener(Protocol):
    """Notified when engines join and are lost."""

    def engine_joined(self, node: Node) -> None:
        """An engine became healthy, for the first time or again."""
        ...

    def engine_lost(self, node: Node, reason: str) -> None:
        """A healthy engine became unhealthy or left; *node* still has its cached state."""
        ...

    def seconds_to_stay(self, node: Node) -> float:
        """For how many seconds an engine that has left discovery's list is still needed."""
        ...


class Membership:
    """The engines of the cluster.  Implements ``DiscoverySink`` and ``EngineRegistry``.

    Args:
        make_engine: builds the engine of an entry, given this registry; must not do I/O.
        index: receives the names of all containers.
        broadcast: receives all events.
        listener: notified of engines.
        node_settings: drains and labels that operators set.
        changed: called with the id of a node that joined, left or changed, as decisions may then
            differ.
    """

    def __init__(
        self,
        make_engine: Callable[[Entry, EngineRegistry[Engine]], Engine],
        index: NameIndex,
        broadcast: Broadcast,
        listener: MembershipListener,
        node_settings: NodeSettingsStore,
        changed: Callable[[str], None] = lambda node_id: None,
    ) -> None:
        self._make_engine = make_engine
        self._index = index
        self._broadcast = broadcast
        self._listener = listener
        self._node_settings = node_settings
        self._changed = changed
        #: Networks and volumes that span engines, as all engines list them.
        self.spanning = Spanning()
        #: Counts the changes of all nodes, and of the list of nodes.
        self.revision = Revision()
        #: Containers of creates that have moved to another node.
        self.orphans = Orphans(self.by_node)
        #: Containers whose place a copy on another node has taken.
        self.duplicates = Duplicates(index, self.by_node)
        #: Which image each image name refers to.
        self.image_names = ImageLedger(self.by_node)
        self._running: dict[Address, tuple[Engine, trio.CancelScope]] = {}
        self._holders: dict[str, Engine] = {}
        self._by_node: dict[str, Engine] = {}
        self._snapshot: EngineSnapshot | None = None
        self._nursery: trio.Nursery | None = None
        self._waiting: Sequence[Entry] | None = None
        self._departures = Departures(listener.seconds_to_stay, self._stop)
        #: Whether discovery has reported a list.
        self.is_listed = False
        #: Discovery's status.
        self.discovery = DiscoveryState()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the engines until cancelled; begins with the entries reported so far."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await nursery.start(self.orphans.run)
            if self._waiting is not None:
                self.entries(self._waiting, self.discovery.problems)
            task_status.started()
            await trio.sleep_forever()

    # ---- DiscoverySink

    def entries(self, entries: Sequence[Entry], problems: Sequence[str] = ()) -> None:
        """Start and stop engines so that they match the list.

        Engines are stopped first, so that an engine whose address changed can join again.
        """
        for problem in problems:
            if problem not in self.discovery.problems:
                log.error("Discovery error: %s; it is skipped", problem)
        self.discovery = DiscoveryState(listed_at=clock.unix_seconds(), problems=problems)
        if self._nursery is None:
            self._waiting = entries
            return
        self.is_listed = True
        wanted: dict[Address, Entry] = {}
        for entry in entries:
            wanted.setdefault(entry.address, entry)
        for address, (engine, _) in list(self._running.items()):
            listed = wanted.get(address)
            if listed is None and self._departures.keep(engine, self._nursery):
                self._apply_settings(engine.node)
            elif listed != engine.entry:
                self._stop(engine)
        for address, entry in wanted.items():
            if address not in self._running:
                self._start(entry, self._nursery)
            elif self._departures.forget(str(address)):
                self._apply_settings(self._running[address][0].node)
        self._regroup()

    def failed(self, reason: str) -> None:
        """Record that the list could not be read; the last list stays valid."""
        self.discovery = replace(self.discovery, error=reason)
        log.error("Discovery error: %s", reason)

    def _start(self, entry: Entry, nursery: trio.Nursery) -> None:
        engine, scope = self._make_engine(entry, self), trio.CancelScope()
        self._running[entry.address] = (engine, scope)

        async def live() -> None:
            with scope:
                await engine.run()

        nursery.start_soon(live)

    def _stop(self, engine: Engine) -> None:
        address = engine.entry.address
        log.info("engine %s at %s leaves the cluster", engine.label, address)
        self._departures.forget(str(address))
        _, scope = self._running.pop(address)
        engine.leave()
        scope.cancel()
        self._regroup()

    # ---- EngineRegistry

    def adopt(self, node: Node) -> None:
        """See ``EngineRegistry``."""
        node.revision = self.revision
        self._apply_settings(node)
        self._regroup()

    def admit(self, engine: Engine, specs: Specs) -> None:
        """Register *engine* under its engine id.

        Raises:
            EngineError: another engine has the same id; the text names it and says what to do.
        """
        holder = self._holders.get(specs.engine_id)
        if holder is not None and holder is not engine:
            raise EngineError(str(engine.entry.address), _duplicate(engine, specs, holder))
        self._holders[specs.engine_id] = engine
        self._by_node[f"{specs.engine_id}|{engine.entry.address}"] = engine

    def withdraw(self, engine: Engine) -> None:
        """Release *engine*'s id; engines that were refused because of it try again."""
        self._regroup()
        if self._holders.get(engine.engine_id) is not engine:
            return
        self.image_names.left(engine.node)
        del self._holders[engine.engine_id]
        self._by_node.pop(engine.node.id, None)
        for other, _ in self._running.values():
            if other is not engine and other.node.state is State.PENDING:
                other.retry_soon()

    def described(self, engine: Engine) -> None:
        """See ``EngineRegistry``."""
        if self._snapshot is not None and not self._snapshot.still_shows(engine):
            self._regroup()
        self._changed(engine.node.id)

    def joined(self, engine: Engine, *, again: bool) -> None:
        """See ``EngineRegistry``."""
        self._regroup()
        self._announce("engine_reconnect" if again else "engine_connect", engine.node)
        self._listener.engine_joined(engine.node)
        self._changed(engine.node.id)

    def lost(self, engine: Engine, reason: str) -> None:
        """See ``EngineRegistry``."""
        self._regroup()
        self._announce("engine_disconnect", engine.node)
        self._listener.engine_lost(engine.node, reason)
        self._changed(engine.node.id)

    def publish(self, event: Event) -> None:
        """Send an event to everyone who follows events."""
        self._broadcast.publish(event)
        self._changed(event.node_id)
        if event.type == "node" and any(key.endswith(".new") for key in event.attributes):
            self._swarm_changed(event.actor_id)

    def container_put(self, container: Container) -> None:
        """Index a container that an engine has added to its cache, unless clients must not see it:
        an orphan, or one of two copies."""
        if self.orphans.remove_if_orphan(container):
            self.duplicates.hide(container)
        else:
            self.duplicates.note(container)

    def container_dropped(self, container: Container) -> None:
        """Remove a container from the index: its engine has removed it from its cache."""
        self._index.drop(container)
        self.duplicates.note_gone(container)

    async def clear_duplicates(self, engine: Engine) -> None:
        """See ``EngineRegistry``."""
        await self.duplicates.clear(engine)

    def images_read(
        self, node: Node, images: Mapping[str, Mapping[str, Any]], *, live: bool
    ) -> None:
        """See ``EngineRegistry``."""
        self.image_names.read(node, images, live=live)

    def image_named(self, name: str, image_id: str, node: Node) -> None:
        """See ``EngineRegistry``."""
        self.image_names.heard(name, image_id, node)

    async def settle_image_names(self, node: Node) -> None:
        """See ``EngineRegistry``."""
        await self.image_names.settle(node)

    def spanning_changed(self, node: Node, keys: Collection[str], stale: Stale) -> None:
        """Let engines read their lists again if they disagree with *node* about shared objects."""
        for engine in self.snapshot.healthy:
            if engine.node is not node and _lists_otherwise(engine.node, node, keys, stale):
                engine.note_stale(stale)

    def _swarm_changed(self, member: str) -> None:
        """Let the engine of a swarm member read its info again: its role or state has changed."""
        for engine in self.snapshot.healthy:
            if swarm_node_id(engine.node.info) == member:
                engine.note_stale(Stale(specs=True))

    def announce_move(self, copy: Container, source: str) -> None:
        """Publish that *copy* has taken the place of a container.

        Args:
            copy: a container of a registered engine.
            source: name of the node of the original.
        """
        node = self.by_node(copy.node_id).node
        self._broadcast.publish(move_event(copy, source, node, clock.unix_nanoseconds()))

    def _announce(self, action: str, node: Node) -> None:
        self._broadcast.publish(cluster_event(action, node, clock.unix_nanoseconds()))

    # ---- refreshing

    async def refresh_all(self, *, seconds: float) -> None:
        """Read the containers of every healthy engine again, after each engine was contacted once.

        A manager that becomes primary already follows the engines, but events about the last
        actions of its predecessor may still be on their way.

        Args:
            seconds: time limit for all engines together, so that one engine that hangs does not
                block the takeover.
        """
        with trio.move_on_after(seconds) as waiting:
            await self.wait_until_met()
            async with trio.open_nursery() as nursery:
                for engine in self.snapshot.healthy:
                    nursery.start_soon(_refresh, engine)
        if waiting.cancelled_caught:
            log.warning("not every engine could be read again within %g s", seconds)

    async def wait_until_met(self) -> None:
        """Wait until discovery has reported a list and each engine has answered or failed."""
        while not self._has_met_all():  # noqa: ASYNC110  (a first failure sets no event)
            await trio.sleep(_LOOK_AGAIN_SECONDS)

    def _has_met_all(self) -> bool:
        nodes = [engine.node for engine in self.snapshot.all]
        return self.is_listed and all(
            node.state is not State.PENDING or node.failures for node in nodes
        )

    # ---- queries

    @property
    def snapshot(self) -> EngineSnapshot:
        """The engines as they are now; rebuilt only after a change."""
        if self._snapshot is None:
            self._snapshot = EngineSnapshot.of(engine for engine, _ in self._running.values())
        return self._snapshot

    def _regroup(self) -> None:
        """Make ``snapshot`` anew: the list of engines, or a fact that it depends on, has changed.

        A change of a node itself is counted where it is assigned; see ``Revision``.
        """
        self._snapshot = None
        self.revision.descriptions += 1

    def settings_changed(self) -> None:
        """Apply the operators' settings to every node."""
        for engine, _ in self._running.values():
            self._apply_settings(engine.node)

    def _apply_settings(self, node: Node) -> None:
        settings = self._node_settings.of(node.address)
        if (departed := self._departures.drain_of(node.address)) is not None:
            settings = replace(settings, drained=departed)
        node.apply(settings)
        self._changed(node.id)

    def by_node(self, node_id: str) -> Engine:
        """The engine of a node.

        Raises:
            NotFound: the node has left the cluster.
        """
        try:
            return self._by_node[node_id]
        except KeyError:
            raise NotFound(f"No such node: {node_id}") from None


async def _refresh(engine: Engine) -> None:
    try:
        await engine.refresh_containers()
    except EngineError as error:
        log.warning("engine %s could not be read again: %s", engine.label, error)


def _lists_otherwise(other: Node, node: Node, keys: Collection[str], stale: Stale) -> bool:
    """Whether two nodes that share objects disagree about any of *keys*."""
    if stale.networks:
        shared, theirs, ours = other.ties.store & node.ties.store, other.networks, node.networks
    else:
        shared, theirs, ours = other.ties.drivers & node.ties.drivers, other.volumes, node.volumes
    return bool(shared) and any((key in theirs) != (key in ours) for key in keys)


def _duplicate(engine: Engine, specs: Specs, holder: Engine) -> str:
    here, there = engine.entry.address, holder.entry.address
    if specs.name == holder.node.name:
        return (
            f"{here} and {there} reach the same engine {specs.name} (ID {specs.engine_id}): remove"
            " one of the two addresses from discovery"
        )
    return (
        f"ID duplicated. {specs.engine_id} shared by this node {here} and another node {there}:"
        f" {specs.name} and {holder.node.name} are clones; stop the Docker Engine on one, remove"
        " its /etc/docker/key.json and engine-id file, and start it"
    )
