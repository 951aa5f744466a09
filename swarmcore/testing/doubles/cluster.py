"""A cluster of scripted engines, without a scheduler."""

from collections import Counter
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import (
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from typing import TYPE_CHECKING

import trio

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import EngineError, NoNodeFits, NotFound, Unavailable
from swarmcore.http.messages import Answer, Client, Request, json_answer
from swarmcore.model import Claim, Container, Drain, Event, NodeSettings, State
from swarmcore.node import Node, Revision
from swarmcore.protocols import (
    Carry,
    Cluster,
    DecisionCounts,
    DecisionRecord,
    DiscoveryState,
    Engine,
    Explanation,
    MoveRecord,
    MoveState,
    Placed,
    WaitingCreate,
)
from swarmcore.testing.doubles.engine import ScriptedEngine
from swarmcore.versions import FLOOR, ApiVersion


class ScriptedEvents:
    """An ``EventStream`` of given events; then it ends, or waits until the test is over."""

    def __init__(self, events: Iterable[Event], *, ends: bool) -> None:
        self._events, self._ends = events, ends
        self._take: Callable[[Event], bool] | None = None

    async def __aiter__(self) -> AsyncIterator[Event]:
        for event in self._events:
            await trio.lowlevel.checkpoint()
            if self._take is None or not self._take(event):
                yield event
        if not self._ends:
            await trio.sleep_forever()

    def deliver_to(self, take: Callable[[Event], bool]) -> None:
        """See ``EventStream``."""
        self._take = take


class RecordedImageNames:
    """An ``ImageNames`` without images; ``told`` records each new name, with its node."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def ids(self, name: str) -> frozenset[str]:
        """See ``ImageNames``."""
        return frozenset()

    def naming(self) -> "RecordedImageNames":
        """See ``ImageNames``."""
        return self

    def named(self, name: str, node: Node) -> None:
        """See ``ImageNaming``."""
        self.told.append((name, node.name))

    @contextmanager
    def copying(self, name: str, source: Node, target: Node) -> Iterator[None]:
        """See ``ImageNames``."""
        yield

    @contextmanager
    def setting_aside(self, node: Node, names: Iterable[str]) -> Iterator[None]:
        """See ``ImageNames``."""
        yield


class ScriptedMoves:
    """A ``Moves`` that moves nothing.

    Attributes:
        records: the result of ``latest``, and of ``unfinished`` unless moved.
        asked: the container of each move, in order.
        errors: name of a container -> what its move raises; others succeed.
        answer: the engine's answer to the create of every copy.
        finished: how often ``finish_interrupted`` was called.
        unstarted: the result of ``interrupted``.
    """

    def __init__(self) -> None:
        self.records: list[MoveRecord] = []
        self.asked: list[Container] = []
        self.errors: dict[str, Exception] = {}
        self.answer = json_answer({"Id": "copy", "Warnings": []}, 201)
        self.finished = 0
        self.unstarted: set[str] = set()

    async def move(self, container: Container, carry: Carry | None = None) -> Placed:
        """See ``Moves``."""
        await trio.lowlevel.checkpoint()
        self.asked.append(container)
        if container.name in self.errors:
            raise self.errors[container.name]
        return Placed(self.answer, Node("target", "target:2375"))

    async def wait_ended(self, container: Container) -> bool:
        """See ``Moves``."""
        await trio.lowlevel.checkpoint()
        return False

    def holding(self, container: Container) -> AbstractContextManager[None]:
        """See ``Moves``."""
        return nullcontext()

    async def finish_interrupted(self) -> None:
        """See ``Moves``."""
        await trio.lowlevel.checkpoint()
        self.finished += 1

    def interrupted(self) -> Collection[str]:
        """See ``Moves``."""
        return self.unstarted

    def latest(self) -> Sequence[MoveRecord]:
        """See ``Moves``."""
        return self.records

    def unfinished(self) -> Sequence[MoveRecord]:
        """See ``Moves``."""
        return [each for each in self.records if each.state != "moved"]

    def counts(self) -> Mapping[MoveState, int]:
        """See ``Moves``."""
        return Counter(each.state for each in self.records if each.state != "moving")


class FakeCluster:
    """A ``Cluster`` of scripted engines.

    Args:
        engines: the engines; a ``Node`` becomes an engine without a script.

    Attributes:
        events, events_end: the events of ``follow_events``, and whether the stream ends after them.
        records, counts: the results of ``decisions`` and ``decision_counts``.
        queue: the result of ``waiting``.
        explanation: the result of ``explain_container``.
        answer: the engine's answer to every create.
        created: the config of each create, in order; all creates go to the first engine.
        renamed: the old and the new name of each rename.
        turns: the engine of each ``turn``.
        grown: container and claim of the last ``growing``.
        pulled: the image of the last pull.
        failed_pulls: the image of each pull that failed.
        moves: the moves that were asked for, and their outcome.
    """

    id, name = "CLUSTER", "manager"
    strategy_name = "spread"
    filter_names: Sequence[str] = ("health", "port")
    primary = ""
    api_version, min_api_version = ApiVersion(1, 41), FLOOR

    def __init__(self, *engines: ScriptedEngine | Node) -> None:
        self._engines = [
            ScriptedEngine(engine) if isinstance(engine, Node) else engine for engine in engines
        ]
        self.is_primary, self.experimental, self.keeps_node_settings = True, False, False
        self.listeners = 0
        self.moves = ScriptedMoves()
        self.discovery = DiscoveryState()
        self.counts = DecisionCounts()
        self.records: list[DecisionRecord] = []
        self.queue: list[WaitingCreate] = []
        self.events: list[Event] = []
        self.events_end = True
        self.image_names = RecordedImageNames()
        self.explanation: Explanation | None = None
        self.answer = json_answer({"Id": "new", "Warnings": []}, 201)
        self.created: list[ContainerConfig] = []
        self.renamed: list[tuple[str, str]] = []
        self.turns: list[Engine] = []
        self.grown: tuple[Container, Claim] | None = None
        self.pulled = ""
        self.failed_pulls: list[str] = []

    # ---- nodes, containers and decisions

    @property
    def revision(self) -> Revision:
        """See ``Cluster``; the sums of the nodes' own counters."""
        numbers = zip(*(node.revision.numbers for node in self.nodes()), strict=True)
        return Revision(*map(sum, numbers))

    def nodes(self) -> Sequence[Node]:
        """See ``Cluster``; in the order in which they were given."""
        return [engine.node for engine in self._engines]

    def engines(self) -> Sequence[Engine]:
        """See ``Cluster``."""
        return [engine for engine in self._engines if engine.node.state is not State.PENDING]

    def healthy_engines(self) -> Sequence[Engine]:
        """See ``Cluster``."""
        found = [engine for engine in self._engines if engine.node.health]
        if not found:
            raise Unavailable("no healthy engine")
        return found

    def engine(self, node_id: str) -> Engine:
        """See ``Cluster``."""
        for engine in self._engines:
            if engine.node.id == node_id:
                return engine
        raise NotFound(f"no node {node_id}")

    def containers(self) -> Iterable[Container]:
        """See ``Cluster``."""
        return [container for node in self.nodes() for container in node.containers.values()]

    def find_container(self, text: str) -> Container:
        """See ``Cluster``; the text must be a whole id or a name."""
        for container in self.containers():
            if text in (container.id, *container.names):
                return container
        raise NotFound(f"No such container: {text}")

    def engine_of(self, container: Container) -> Engine:
        """See ``Cluster``."""
        for engine in self._engines:
            if container.id in engine.node.containers:
                if not engine.node.health:
                    raise Unavailable(f"{engine.node.name} does not answer")
                return engine
        raise AssertionError(f"{container.name} is on no engine")

    def decision_counts(self) -> DecisionCounts:
        """See ``Cluster``; returns ``counts``."""
        return self.counts

    def decisions(self, limit: int) -> Sequence[DecisionRecord]:
        """See ``Cluster``; returns the first *limit* of ``records``."""
        return self.records[:limit]

    def waiting(self) -> Sequence[WaitingCreate]:
        """See ``Cluster``; returns ``queue``."""
        return self.queue

    @asynccontextmanager
    async def follow_events(self) -> AsyncIterator[ScriptedEvents]:
        """See ``Cluster``; yields ``events``."""
        yield ScriptedEvents(self.events, ends=self.events_end)

    # ---- settings of nodes

    async def drain_node(self, node: Node, drained: Drain | None) -> None:
        """See ``Cluster``."""
        node.apply(NodeSettings(drained, node.added_labels))

    async def label_node(self, node: Node, changes: Mapping[str, str | None]) -> None:
        """See ``Cluster``."""
        labels = {**node.added_labels, **changes}
        kept = {key: value for key, value in labels.items() if value is not None}
        node.apply(NodeSettings(node.drained, kept))

    # ---- scheduling

    def choose(self, config: ContainerConfig, engines: Sequence[Engine] | None = None) -> Engine:
        """See ``Cluster``; the first healthy engine that constraints of ``node==NAME`` allow."""
        wanted = [text.removeprefix("node==") for text in config.constraints]
        for engine in self.engines() if engines is None else engines:
            if engine.node.health and wanted in ([], [engine.node.name]):
                return engine
        raise NoNodeFits(f"no node fits constraint node=={wanted}")

    async def create_container(
        self, config: ContainerConfig, request: Request, carry: Carry | None = None
    ) -> Placed:
        """See ``Cluster``; returns ``answer`` from the first engine."""
        self.created.append(config)
        return Placed(self.answer, self._engines[0].node)

    async def explain_container(self, config: ContainerConfig) -> Explanation:
        """See ``Cluster``; returns ``explanation``, which the test must set."""
        assert self.explanation is not None, "the test gives no explanation"
        return self.explanation

    async def rename_container(self, container: Container, name: str, request: Request) -> Answer:
        """See ``Cluster``."""
        self.renamed.append((container.name, name))
        return Answer(204)

    @asynccontextmanager
    async def turn(self, engine: Engine) -> AsyncIterator[None]:
        """See ``Cluster``."""
        self.turns.append(engine)
        yield

    @contextmanager
    def expecting(
        self, config: ContainerConfig, engine: Engine, linger: float = 0
    ) -> Iterator[None]:
        """See ``Cluster``."""
        yield

    @contextmanager
    def growing(self, container: Container, claim: Claim) -> Iterator[None]:
        """See ``Cluster``."""
        self.grown = (container, claim)
        yield

    @asynccontextmanager
    async def bringing(self, networks: Sequence[str], engine: Engine) -> AsyncIterator[None]:
        """See ``Cluster``."""
        yield

    # ---- pulls

    def pull_targets(self, image: str, client: Client) -> Sequence[Engine]:
        """See ``Cluster``; returns every healthy engine."""
        self.pulled = image
        return self.healthy_engines()

    def note_pull(
        self, image: str, client: Client, engine: Engine, error: EngineError | None = None
    ) -> None:
        """See ``Cluster``."""

    def pull_failed(self, image: str, client: Client) -> None:
        """See ``Cluster``."""
        self.failed_pulls.append(image)


if TYPE_CHECKING:

    def _is_a_cluster(cluster: FakeCluster) -> Cluster:
        return cluster
