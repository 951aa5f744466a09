"""The shapes that plugins implement, and the shapes that they are handed.

A plugin inherits nothing: an object with these methods is a strategy, a filter, a discovery.
The second half is what the core hands over; a plugin calls it and never builds it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from swarmcore.config import ContainerConfig
from swarmcore.messages import Answer, Client, Headers, Request
from swarmcore.model import Container, Entry, Event, TLSFiles
from swarmcore.node import Node
from swarmcore.versions import ApiVersion

# ---------------------------------------------------------------------------- placement


@dataclass(frozen=True, slots=True)
class Refused:
    """Nodes that one rule refused, for wording the refusal: pairs of node and reason."""

    pairs: Sequence[tuple[Node, str]]


#: Nodes whose own reasons a refusal spells out for one rule; the others are counted.
_SPELLED_OUT = 3


def _default_summary(text: str, refused: Refused) -> str:
    """``constraint zone==b``, ``port 8080/tcp taken by web_1 on n3, by db on n4``."""
    told = [(node.name, reason) for node, reason in refused.pairs if reason]
    if not told:
        return text
    reasons = list(dict.fromkeys(reason for _, reason in told))
    if len(reasons) == 1:
        return f"{text} {reasons[0]}" + (f" on {told[0][0]}" if len(told) == 1 else "")
    listed = [f"{reason} on {name}" for name, reason in told[:_SPELLED_OUT]]
    more = f" and {len(told) - _SPELLED_OUT} more" if len(told) > _SPELLED_OUT else ""
    return f"{text} ({', '.join(listed)}{more})"


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition on the node, compiled from one create.

    Attributes:
        text: what is asked, short: ``constraint zone==b``, ``port 8080/tcp``.
        check: node -> ``None`` when it may take the container, else the reason in a few words,
            empty when *text* says it all.  Synchronous and quick: it runs once per node.
        soft: a preference: dropped when no node can meet it.
        summarise: words all refusals of this rule: its text and who was refused -> the text that
            follows the count in ``0 of 14 nodes: 6 memory (needs 8 GiB, ...)``.
    """

    text: str
    check: Callable[[Node], str | None]
    soft: bool = False
    summarise: Callable[[str, Refused], str] = _default_summary


class Filter(Protocol):
    """Decides which nodes may take a container."""

    #: What ``--filter`` calls it, and what ``info`` lists.
    name: str

    def rules(self, config: ContainerConfig) -> Iterable[Rule]:
        """Compile a config into rules, once per create; none when the filter does not care.

        Raises:
            BadRequest: an expression in the config is malformed; the text names it.
        """
        ...


class Strategy(Protocol):
    """Prefers one node over another."""

    #: What ``--strategy`` calls it, and what ``info`` lists.
    name: str

    def weigh(self, config: ContainerConfig, node: Node) -> Sequence[float]:
        """How good *node* is for *config*; the higher weight wins, compared item by item.

        Called once per node that passed every rule; the node has room for the config's claim.
        """
        ...


# ---------------------------------------------------------------------------- discovery


class DiscoverySink(Protocol):
    """Where a discovery puts what it finds."""

    def entries(self, entries: Sequence[Entry]) -> None:
        """The full list, as it is now.  An empty list means: no engines."""
        ...

    def failed(self, reason: str) -> None:
        """The list could not be read, or a part of it; the last good one stays in force."""
        ...


class Discovery(Protocol):
    """Knows where engines are."""

    async def watch(self, sink: DiscoverySink) -> None:
        """Report the entries, and again whenever they change, until cancelled.

        May return when the list can never change.  Must stop promptly when cancelled.
        """
        ...


class Registrar(Protocol):
    """A discovery that engines can announce themselves to."""

    async def register(self, entry: Entry) -> None:
        """Announce *entry* once; the caller repeats it each heartbeat.

        Raises:
            SwarmError: it did not work, and why.
        """
        ...

    async def leave(self, entry: Entry) -> None:
        """Withdraw *entry*."""
        ...


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """What a discovery is told besides its URI.

    Attributes:
        heartbeat_seconds: how often to look or to renew.
        ttl_seconds: how long a registration lives; 0 when only watching.
        options: ``--discovery-opt`` keys and values.
    """

    heartbeat_seconds: float = 60.0
    ttl_seconds: float = 0.0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiscoveryURI:
    """``scheme://rest``; a text without a scheme is ``nodes``."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.rest}"


# ---------------------------------------------------------------------------- election


class ElectionSink(Protocol):
    """Where an election says how it stands."""

    def elected(self) -> None:
        """This candidate leads from now on."""
        ...

    def lost(self) -> None:
        """This candidate no longer leads; said before the store can let another lead."""
        ...

    def leader(self, address: str) -> None:
        """Who leads, as far as is known; empty when nobody does."""
        ...


class Election(Protocol):
    """EXPERIMENTAL.  Chooses one primary among several managers."""

    async def campaign(self, candidate: str, sink: ElectionSink) -> None:
        """Stand for election as *candidate* (``host:port``) until cancelled, then resign."""
        ...


# ---------------------------------------------------------------------------- what plugins use


class AnswerStream(Protocol):
    """An engine's answer as it arrives."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """The answer's headers."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, framing removed.

        Raises:
            EngineUnreachable: the connection broke before the end.
        """
        ...


class Upload(Protocol):
    """A request to an engine whose body is sent piece by piece; one task sends, another reads."""

    async def send(self, data: bytes) -> None:
        """A piece of the body; waits until the connection has taken it.

        Raises:
            EngineUnreachable: the connection broke; an answer may have come all the same.
        """
        ...

    async def finish(self) -> None:
        """The end of the body.

        Raises:
            EngineUnreachable: as for ``send``.
        """
        ...

    async def answer(self) -> AnswerStream:
        """The answer, once its head is there, which may be before the body's end.

        Raises:
            EngineUnreachable: there is none.
        """
        ...


class Engine(Protocol):
    """One Docker Engine, as API plugins use it."""

    @property
    def node(self) -> Node:
        """What is known of it."""
        ...

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> Answer:
        """Ask the engine and read the whole answer: for small JSON, with a deadline.

        Args:
            method: upper case.
            path: path and query, percent-encoded, without version prefix.
            body: sent with its length; ``None`` sends none.
            headers: added to the request.
            version: the client's; clamped to what the engine speaks.  ``None``: the newest that
                both speak.

        Returns:
            The answer, whatever its status.

        Raises:
            EngineUnreachable: no answer.
        """
        ...

    def open(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AbstractAsyncContextManager[AnswerStream]:
        """Ask the engine and read the answer as it comes: for merging what several engines stream.

        Entered when the answer's head is there.  No deadline but the connection's; leaving the
        block early ends the engine's work.  Arguments as for ``call``.

        Raises:
            EngineUnreachable: no answer.
        """
        ...

    def upload(
        self,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        version: ApiVersion | None = None,
    ) -> AbstractAsyncContextManager[Upload]:
        """Send the engine a body of unknown length, chunk by chunk, full duplex.

        Entered when the request's head is sent.  No deadline but the caller's; leaving the block
        before the body's end cuts the request off.  Arguments as for ``call``.

        Raises:
            EngineUnreachable: no connection.
        """
        ...

    async def refresh_container(self, id: str) -> Container | None:
        """Re-read one container now; returns it, or ``None`` when it is gone."""
        ...

    async def refresh_images(self) -> None:
        """Re-read the image list now."""
        ...

    async def refresh_networks(self) -> None:
        """Re-read the network list now.

        Raises:
            EngineError: it could not be read.
        """
        ...

    async def refresh_volumes(self) -> None:
        """Re-read the volume list now.

        Raises:
            EngineError: it could not be read.
        """
        ...

    def forget_container(self, id: str) -> None:
        """Drop one container from the cache: the engine just removed it."""
        ...


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


class Cluster(Protocol):
    """All engines together."""

    @property
    def id(self) -> str:
        """This manager's identity, stable over restarts on one machine."""
        ...

    @property
    def name(self) -> str:
        """The manager's host name."""
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

    def choose(self, config: ContainerConfig, engines: Sequence[Engine] | None = None) -> Engine:
        """Where a network or a volume goes: placed as a container would be, nothing reserved.

        Args:
            config: what placement looks at: labels, constraints.
            engines: those that may be chosen; ``None``: every registered one.

        Raises:
            NoNodeFits: and why.
            BadRequest: a malformed expression.
        """
        ...

    async def create_container(self, config: ContainerConfig, request: Request) -> Placed:
        """Place and create; tries alternates where the failure is the node's.

        Returns:
            The engine's own answer, 201 or whatever error is the user's.

        Raises:
            Conflict: the name is taken.
            BadRequest: a malformed expression.
            NoNodeFits: and why.
        """
        ...

    async def rename_container(self, container: Container, name: str, request: Request) -> Answer:
        """Rename, holding the new name while the engine works.

        Raises:
            Conflict: the name is taken.
        """
        ...

    def remember_exec(self, exec_id: str, container: Container) -> None:
        """An engine just created *exec_id* in *container*."""
        ...

    async def find_exec(self, exec_id: str) -> Engine:
        """The engine that holds an exec; asks all of them when it is not remembered.

        Raises:
            NotFound: none does.
        """
        ...

    def pull_targets(self, image: str, client: Client) -> Sequence[Engine]:
        """Where *client*'s pull of *image* must go.

        The nodes that its creates were placed on and found the image missing; else all healthy.
        """
        ...

    def pull_failed(self, image: str, client: Client) -> None:
        """*client*'s pull of *image* failed: what its creates claimed meanwhile is free again."""
        ...

    def follow_events(self) -> AbstractAsyncContextManager[EventStream]:
        """Subscribe to events of all engines and of the cluster itself."""
        ...


class Exchange(Protocol):
    """One request and its answer.  A handler answers exactly once, by one of these methods."""

    @property
    def request(self) -> Request:
        """The request's head."""
        ...

    @property
    def cluster(self) -> Cluster:
        """The cluster that is asked."""
        ...

    async def read_body(self) -> bytes:
        """The whole request body.

        Raises:
            TooLarge: above the limit for bodies that are parsed.
        """
        ...

    async def receive_chunk(self) -> bytes:
        """The next piece of the request body as it arrives, ``b""`` at its end.

        Nothing is read ahead: a handler that does not ask holds the client back.

        Raises:
            BadRequest: malformed framing.
        """
        ...

    async def read_json(self) -> Any:
        """The request body as JSON; ``None`` for an empty one.

        Raises:
            BadRequest: not JSON, not declared as JSON, or an object with colliding keys.
            TooLarge: above the limit.
        """
        ...

    async def send(self, answer: Answer) -> None:
        """Answer at once, with a length."""
        ...

    async def send_json(self, value: Any, status: int = 200) -> None:
        """Answer with JSON."""
        ...

    def stream(
        self, status: int = 200, headers: Headers = ()
    ) -> AbstractAsyncContextManager[Callable[[bytes], Awaitable[None]]]:
        """Answer chunk by chunk: the head goes out on entry, each ``await send(data)`` at once.

        When the client goes away the block is cancelled and left quietly.
        """
        ...

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Cancel the block, and leave it quietly, when the client goes away.

        For work before the answer begins; ``stream`` and ``relay`` watch by themselves.
        """
        ...

    async def relay(
        self,
        engine: Engine,
        path: str,
        *,
        body: bytes | None = None,
        settle: Callable[[int], Awaitable[None]] | None = None,
        rewrite: Callable[[Answer], Answer] | None = None,
        settle_at_end: bool = False,
    ) -> int:
        """Hand the request to *engine* and its answer to the client, hijack and websocket too.

        The head goes on as it came, less what must change; bodies stream both ways, nothing is
        buffered whole; a client that leaves cancels the engine's work.

        Args:
            engine: who answers.
            path: path and query for the engine, percent-encoded, without version prefix.
            body: replaces the client's body; ``None`` streams the client's.
            settle: awaited with the status once, before the client can see the end of the answer:
                before the head where the answer has no body, else before the body's first byte.
                For bringing the cache up to date.
            rewrite: the answer is read whole, passed through, and sent; only for small JSON.
                Not called for an answer that is an error.
            settle_at_end: *settle* only after the body's last byte, before its end: for an answer
                that tells the work's progress.

        Returns:
            The status that the engine answered.

        Raises:
            EngineUnreachable: before anything was sent to the client.
        """
        ...


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the API.

    Attributes:
        method: upper case.
        template: without version prefix, e.g. ``/containers/{name}/json``; a ``{placeholder}``
            takes one or more characters, slashes included.
        handler: answers.
    """

    method: str
    template: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Denied:
    """An authorization plugin's no."""

    reason: str


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand that a plugin adds to ``swarmcore``.

    Attributes:
        name: as typed.
        help: one line.
        configure: adds arguments to an ``argparse.ArgumentParser``.
        run: parsed arguments -> exit status.
    """

    name: str
    help: str
    configure: Callable[[Any], None]
    run: Callable[[Any], int]


__all__ = [
    "Answer",
    "AnswerStream",
    "Client",
    "Cluster",
    "Command",
    "Container",
    "ContainerConfig",
    "Denied",
    "Discovery",
    "DiscoveryOptions",
    "DiscoverySink",
    "DiscoveryURI",
    "Election",
    "ElectionSink",
    "Engine",
    "Entry",
    "Event",
    "EventStream",
    "Exchange",
    "Filter",
    "Handler",
    "Headers",
    "Node",
    "Placed",
    "Refused",
    "Registrar",
    "Request",
    "Route",
    "Rule",
    "Strategy",
    "TLSFiles",
    "Upload",
]
