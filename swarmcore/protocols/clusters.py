"""The cluster as API plugins use it, split into one protocol per subject."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from swarmcore.errors import EngineError
from swarmcore.http.messages import Client
from swarmcore.model import Container, Drain, Event
from swarmcore.node import Node, Revision
from swarmcore.protocols.decisions import DecisionRecord, WaitingCreate
from swarmcore.protocols.engines import Engine
from swarmcore.protocols.images import ImageNames
from swarmcore.protocols.moves import Moves
from swarmcore.protocols.placing import Placing
from swarmcore.protocols.stats import DecisionCounts, DiscoveryState
from swarmcore.versions import ApiVersion


class EventStream(Protocol):
    """A subscription to the cluster's events, from the moment it was opened."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Iterate over events; ends if the subscriber is too slow or the manager stops."""
        ...

    def deliver_to(self, take: Callable[[Event], bool]) -> None:
        """Have *take* called with each event that comes while the subscriber waits for one.

        Saves a task switch where many subscribers get the same events.

        Args:
            take: must not wait.  If it returns ``False``, the iterator gives the event.
        """
        ...


class ClusterView(Protocol):
    """Read access to the manager, and to nodes, engines, containers and image names."""

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
        """Whether this manager places containers; ``False`` only for a replica."""
        ...

    @property
    def primary(self) -> str:
        """``HOST:PORT`` of the primary; empty if it is unknown or is this manager."""
        ...

    @property
    def strategy_name(self) -> str:
        """The strategy's name, as ``docker info`` shows it."""
        ...

    @property
    def filter_names(self) -> Sequence[str]:
        """The filters' names in the order of the chain, as ``docker info`` shows them."""
        ...

    @property
    def experimental(self) -> bool:
        """Whether the manager runs with ``--experimental``."""
        ...

    @property
    def listeners(self) -> int:
        """The number of clients that follow events now."""
        ...

    @property
    def api_version(self) -> ApiVersion:
        """The API version announced: the newest that the core and all healthy engines support."""
        ...

    @property
    def min_api_version(self) -> ApiVersion:
        """The oldest API version accepted in a path: 1.24, or older if all healthy engines support
        it.  Requests to an engine that supports only newer versions use its oldest one."""
        ...

    @property
    def revision(self) -> Revision:
        """Counts changes: while a counter is the same, so is what was made of what it counts.

        It counts changes of nodes and of the list of nodes.  The manager's own state, such as
        ``primary``, ``listeners`` and ``discovery``, is not a part of it.
        """
        ...

    def nodes(self) -> Sequence[Node]:
        """Every node, including pending ones, in natural order of their names."""
        ...

    def engines(self) -> Sequence[Engine]:
        """The registered engines (not the pending ones), in the order of ``nodes``.

        It is the same object until an engine joins, leaves, becomes healthy or unhealthy, or
        gets another name or API version.
        """
        ...

    def healthy_engines(self) -> Sequence[Engine]:
        """The registered engines that answer.

        Raises:
            Unavailable: no engine is healthy.
        """
        ...

    def engine(self, node_id: str) -> Engine:
        """The engine of a node.

        Args:
            node_id: ``Node.id``.

        Raises:
            NotFound: the node has left the cluster.
        """
        ...

    def containers(self) -> Iterable[Container]:
        """Every container of every registered engine."""
        ...

    def find_container(self, text: str) -> Container:
        """Find a container by id, swarm id, name, ``node/name`` or unique id prefix.

        Raises:
            NotFound: no container matches; the text is Docker's.
            BadRequest: an id prefix matches several containers.
        """
        ...

    def engine_of(self, container: Container) -> Engine:
        """The engine that holds *container*.

        Raises:
            NotFound: the engine has left the cluster.
            Unavailable: the engine is unhealthy; the text names its node.
        """
        ...

    @property
    def image_names(self) -> ImageNames:
        """Which image each image name refers to."""
        ...


class Pulls(Protocol):
    """Image pulls that waiting creates depend on."""

    def pull_targets(self, image: str, client: Client) -> Sequence[Engine]:
        """The engines on which to pull *image* for *client*.

        These are the nodes on which the client's creates were placed and the image was missing.
        If there are none, all healthy engines.
        """
        ...

    def note_pull(
        self, image: str, client: Client, engine: Engine, error: EngineError | None = None
    ) -> None:
        """Record the end of *client*'s pull of *image* on *engine*; call before ``pull_failed``.

        A failure caused by the node counts against that node, for creates whose image is missing
        there, until a pull succeeds on it.

        Args:
            image: as the client named it.
            client: the client that pulls.
            engine: the engine that pulled.
            error: why the pull failed; ``None`` if it succeeded.
        """
        ...

    def pull_failed(self, image: str, client: Client) -> None:
        """Release what *client*'s creates reserved for *image*: its pull has failed."""
        ...


class Operations(Protocol):
    """What operators read, and what they set on nodes."""

    @property
    def discovery(self) -> DiscoveryState:
        """The status of discovery."""
        ...

    def decisions(self, limit: int) -> Sequence[DecisionRecord]:
        """The latest decisions on containers, newest first; the manager keeps a thousand.

        Args:
            limit: the maximum number of records.
        """
        ...

    def decision_counts(self) -> DecisionCounts:
        """How many decisions on containers were made, and which rules refused nodes."""
        ...

    def waiting(self) -> Sequence[WaitingCreate]:
        """The creates that wait for free resources, in the order in which they are served."""
        ...

    @property
    def keeps_node_settings(self) -> bool:
        """Whether drains and added labels survive a restart (``--node-settings`` is given)."""
        ...

    async def drain_node(self, node: Node, drained: Drain | None) -> None:
        """Stop or resume placing new containers on *node*.

        Running containers and existing claims are not changed.

        Args:
            node: any node; may be pending.
            drained: the operator's reason; ``None`` ends the drain.

        Raises:
            SwarmError: the setting cannot be stored; nothing has changed.
        """
        ...

    async def label_node(self, node: Node, changes: Mapping[str, str | None]) -> None:
        """Add labels to *node* or remove added labels; they override the engine's own labels.

        Args:
            node: any node; may be pending.
            changes: label -> value; ``None`` removes an added label.

        Raises:
            SwarmError: the setting cannot be stored; nothing has changed.
        """
        ...


class Moving(Protocol):
    """Moving containers to other nodes."""

    @property
    def moves(self) -> Moves:
        """Moves containers, and tells of moves."""
        ...


class Events(Protocol):
    """The events of all engines and of the cluster itself."""

    def follow_events(self) -> AbstractAsyncContextManager[EventStream]:
        """Subscribe to events of all engines and of the cluster itself.

        If the subscriber is too slow, the stream ends after the events that are queued for it, and
        a minute later the block is cancelled and left without an error.
        """
        ...


class Cluster(ClusterView, Placing, Moving, Pulls, Operations, Events, Protocol):
    """The whole cluster, as handlers and hooks receive it.

    A function that needs only one of the parts should take that part as its argument type.
    """
