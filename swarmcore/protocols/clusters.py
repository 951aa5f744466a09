"""All engines together as API plugins use them, in parts for different readers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import EngineError
from swarmcore.http.messages import Answer, Client, Request
from swarmcore.model import Claim, Container, Drain, Event
from swarmcore.node import Node
from swarmcore.protocols.decisions import DecisionRecord, Explanation, WaitingCreate
from swarmcore.protocols.engines import Engine
from swarmcore.protocols.images import ImageNames
from swarmcore.protocols.stats import DecisionCounts, DiscoveryState
from swarmcore.versions import ApiVersion


class EventStream(Protocol):
    """A subscription to the cluster's events, from the moment it was opened."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Ends when the subscriber was too slow, or the manager stops."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A created container: the engine's answer, and where."""

    answer: Answer
    node: Node


#: Carries an image, as the client named it, from one node to another.
Carry = Callable[[str, Node, Node], Awaitable[None]]


class ClusterView(Protocol):
    """The manager, and what is in the cluster: nodes, engines, containers, image names."""

    @property
    def id(self) -> str:
        """This manager's identity, stable over restarts on one machine."""
        ...

    @property
    def name(self) -> str:
        """The manager's host name."""
        ...

    @property
    def is_primary(self) -> bool:
        """Whether this manager places: always, unless it is one of several (``--replication``)."""
        ...

    @property
    def primary(self) -> str:
        """Where the primary is, ``HOST:PORT``; empty when that is unknown, or this manager."""
        ...

    @property
    def strategy_name(self) -> str:
        """For ``info``."""
        ...

    @property
    def filter_names(self) -> Sequence[str]:
        """For ``info``, in the order of the chain."""
        ...

    @property
    def experimental(self) -> bool:
        """Whether the manager runs with ``--experimental``."""
        ...

    @property
    def listeners(self) -> int:
        """How many clients follow events now."""
        ...

    @property
    def api_version(self) -> ApiVersion:
        """What is announced: the newest version that the core and every healthy engine speak."""
        ...

    @property
    def min_api_version(self) -> ApiVersion:
        """The oldest version accepted in a path: 1.24, or older where every healthy engine
        speaks it.  An engine that speaks only newer ones is asked in its oldest."""
        ...

    def nodes(self) -> Sequence[Node]:
        """Every node, pending ones too, in the natural order of their names."""
        ...

    def engines(self) -> Sequence[Engine]:
        """The registered engines (not the pending ones), in the order of ``nodes``."""
        ...

    def healthy_engines(self) -> Sequence[Engine]:
        """Those of ``engines`` that answer.

        Raises:
            Unavailable: there are none.
        """
        ...

    def engine(self, node_id: str) -> Engine:
        """The engine of a node.

        Raises:
            NotFound: it has left the cluster.
        """
        ...

    def containers(self) -> Iterable[Container]:
        """Every container of every registered engine."""
        ...

    def find_container(self, text: str) -> Container:
        """By id, swarm id, name, ``node/name`` or unique id prefix.

        Raises:
            NotFound: none; Docker's text.
            BadRequest: a prefix of several.
        """
        ...

    def engine_of(self, container: Container) -> Engine:
        """The engine that holds *container*, able to be asked.

        Raises:
            Unavailable: it does not answer at the moment; the text names the node.
        """
        ...

    @property
    def image_names(self) -> ImageNames:
        """Which image each name means."""
        ...


class Placing(Protocol):
    """Choosing engines, creating containers there, and holding room meanwhile."""

    async def create_container(
        self, config: ContainerConfig, request: Request, carry: Carry | None = None
    ) -> Placed:
        """Place and create; tries alternates where the failure is the node's.

        Args:
            config: what is to run.
            request: who asks, and in which API version.
            carry: called for a node that lacks the image where another can give it: carries an
                image from one node to another, or raises ``EngineError``.  The create goes on there
                with what it has reserved.

        Returns:
            The engine's own answer, 201 or whatever error is the user's.

        Raises:
            Conflict: the name is taken.
            BadRequest: a malformed expression.
            NoNodeFits: and why.
        """
        ...

    async def explain_container(self, config: ContainerConfig) -> Explanation:
        """Say where ``create_container`` would go now, and why; creates and reserves nothing.

        What waits for a pull counts as taken, the client's own too.

        Raises:
            Conflict: the name is taken.
            BadRequest: a malformed expression.
        """
        ...

    async def rename_container(self, container: Container, name: str, request: Request) -> Answer:
        """Rename, holding the new name while the engine works.

        Raises:
            Conflict: the name is taken.
        """
        ...

    def choose(self, config: ContainerConfig, engines: Sequence[Engine] | None = None) -> Engine:
        """Where a network or a volume goes: placed as a container would be; see ``expecting``.

        Args:
            config: what placement looks at: labels, constraints.
            engines: those that may be chosen; ``None``: every registered one.

        Raises:
            NoNodeFits: and why.
            BadRequest: a malformed expression.
        """
        ...

    def expecting(
        self, config: ContainerConfig, engine: Engine, linger: float = 0
    ) -> AbstractContextManager[None]:
        """Count a network or a volume as a container of *engine* while the block lasts.

        What is being made is in no list of the engine; decisions meanwhile must know of it.

        Args:
            config: what ``choose`` was asked with; ``volumes`` names those that there will be.
            engine: makes it.
            linger: seconds for which it counts after the block, for what is likely to follow.
        """
        ...

    def growing(self, container: Container, claim: Claim) -> AbstractContextManager[None]:
        """Hold more memory and CPUs for *container* while the block lasts, which updates it.

        Args:
            container: keeps what it has; one that is to shrink holds nothing more.
            claim: what it is to have.

        Raises:
            Conflict: its node has no room for that.
        """
        ...

    def bringing(
        self, networks: Sequence[str], engine: Engine
    ) -> AbstractAsyncContextManager[None]:
        """Have on *engine* those of *networks* that nothing uses yet, for a container of it.

        Others stay where they are; look for them again in the block, for their ids change.  While
        it lasts they go nowhere else.

        Args:
            networks: as ``config.networks``.
            engine: holds the container.

        Raises:
            EngineError: *engine* refuses to have one; its status and words.
        """
        ...

    def turn(self, engine: Engine) -> AbstractAsyncContextManager[None]:
        """A turn to have *engine* start something: waits where ``swarm.starts`` limits how many
        do so at once.  Creates take their turns by themselves."""
        ...


class Pulls(Protocol):
    """Pulls of images that creates wait for."""

    def pull_targets(self, image: str, client: Client) -> Sequence[Engine]:
        """Where *client*'s pull of *image* must go.

        The nodes that its creates were placed on and found the image missing; else all healthy.
        """
        ...

    def note_pull(
        self, image: str, client: Client, engine: Engine, error: EngineError | None = None
    ) -> None:
        """*client*'s pull of *image* on *engine* has ended; to be told before ``pull_failed``.

        A failure that was the node's counts against it where the image is missing, until a pull
        succeeds there.

        Args:
            error: why it failed; ``None`` where it did not.
        """
        ...

    def pull_failed(self, image: str, client: Client) -> None:
        """*client*'s pull of *image* failed: what its creates claimed meanwhile is free again."""
        ...


class Operations(Protocol):
    """What operators ask about, and what they set on nodes."""

    @property
    def discovery(self) -> DiscoveryState:
        """Discovery's status."""
        ...

    def decisions(self, limit: int) -> Sequence[DecisionRecord]:
        """The latest decisions on containers, the newest first; a thousand are kept.

        Args:
            limit: how many at most.
        """
        ...

    def decision_counts(self) -> DecisionCounts:
        """How many decisions on containers there were, and which rules refused nodes."""
        ...

    def waiting(self) -> Sequence[WaitingCreate]:
        """The creates that wait for room, in the order in which they are served."""
        ...

    @property
    def keeps_node_settings(self) -> bool:
        """Whether drains and added labels outlive the manager: it was given ``--node-settings``."""
        ...

    async def drain_node(self, node: Node, drained: Drain | None) -> None:
        """Let *node* take no new containers; what runs there, and what is claimed, stays.

        Args:
            node: any, a pending one too.
            drained: why; ``None`` ends it.

        Raises:
            SwarmError: it cannot be kept; nothing has changed.
        """
        ...

    async def label_node(self, node: Node, changes: Mapping[str, str | None]) -> None:
        """Add labels to *node*, which go before its engine's own.

        Args:
            node: any, a pending one too.
            changes: key -> value; ``None`` takes a label away that was added here.

        Raises:
            SwarmError: it cannot be kept; nothing has changed.
        """
        ...


class Events(Protocol):
    """The events of all engines and of the cluster itself."""

    def follow_events(self) -> AbstractAsyncContextManager[EventStream]:
        """Subscribe to events of all engines and of the cluster itself."""
        ...


class Cluster(ClusterView, Placing, Pulls, Operations, Events, Protocol):
    """All engines together: what handlers and hooks are given.

    A function that needs only one of these parts takes that part.
    """
