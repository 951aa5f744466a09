"""Data classes shared by discovery, engines, scheduler and plugins.

All are frozen: a change makes a new object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from swarmcore.addresses import Address
from swarmcore.container_facts import ContainerFacts, read_facts

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB

#: One CPU in Docker's unit of 1e-9 CPUs.
NANO = 1_000_000_000


class State(Enum):
    """State of an engine; the values are printed in ``info``, as in Swarm classic."""

    PENDING = "Pending"
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    DISCONNECTED = "Disconnected"


class ContainerCounts(NamedTuple):
    """The numbers of containers on a node, as ``docker info`` counts them.

    Attributes:
        running: running or restarting.
        paused: paused.
        stopped: all others, including created and dead ones.
    """

    running: int
    paused: int
    stopped: int


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """Paths of PEM files for TLS; empty if not given.

    Attributes:
        ca: certificates of trusted CAs.
        cert: our certificate.
        key: its private key.
        verify: whether the peer's certificate is verified.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine in a discovery's list.

    Attributes:
        address: the engine's address.
        labels: additional node labels; the engine's own take precedence.
        tls: TLS files for this engine; ``None``: those of the manager.
    """

    address: Address
    labels: Mapping[str, str] = field(default_factory=dict)
    tls: TLSFiles | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """An operator's setting that a node takes no new containers.

    ``str()`` gives the text for refusals and ``info``.

    Attributes:
        reason: the operator's reason; may be empty.
        author: the operator; may be empty.
        since: Unix seconds; 0 if unknown.
        moves: whether containers whose policy allows it are moved to other nodes.
    """

    reason: str = ""
    author: str = ""
    since: float = 0.0
    moves: bool = False

    def __str__(self) -> str:
        by = f"by {self.author}" if self.author else ""
        return ", ".join(filter(None, (self.reason, by)))


@dataclass(frozen=True, slots=True)
class FailedPulls:
    """Recent pulls that failed on a node because of the node.

    Attributes:
        scope: what is affected: a registry's host, one image (normalised), or all images if empty.
        count: number of failures since the last success.
        image: image of the last failure, as the client named it.
        reason: the engine's message of the last failure.
        at: Unix seconds of the last failure.
        until: trio time after which they are forgotten.
    """

    scope: str
    count: int
    image: str
    reason: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """An operator's settings of one node, which engines do not know.

    Attributes:
        drained: the drain; ``None`` if the node takes containers.
        labels: additional labels, which override the engine's own.
    """

    drained: Drain | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


#: Stands for all GPUs in a number of GPUs, as in Docker's ``DeviceRequests``.
ALL_GPUS = -1

#: Texts that stand for all addresses of a host.
ANY_IP = frozenset({"", "0.0.0.0", "::"})


class HostPort(NamedTuple):
    """A host port, or a range from which the engine chooses one port.

    Attributes:
        first, last: the range, inclusive; equal for a single port.
        protocol: ``tcp``, ``udp`` or ``sctp``.
        ip: the host address; one of ``ANY_IP`` stands for all addresses.
    """

    first: int
    last: int
    protocol: str = "tcp"
    ip: str = ""

    def clashes(self, other: "HostPort") -> bool:
        """Whether both may be the same port of one host."""
        return (
            self.protocol == other.protocol
            and self.first <= other.last
            and other.first <= self.last
            and (self.ip in ANY_IP or other.ip in ANY_IP or self.ip == other.ip)
        )

    def __str__(self) -> str:
        ports = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        ip = "" if self.ip in ANY_IP else f"{self.ip}:"
        return f"{ip}{ports}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The resources that a container takes from its node.

    Attributes:
        nano_cpus: CPUs in units of 1e-9.
        memory: bytes.
        ports: host ports; those that the engine chooses freely are not included.
        gpus: a number of GPUs, which are the node's first ones; ``ALL_GPUS`` for all.
        gpu_ids: GPUs by id.
    """

    nano_cpus: int = 0
    memory: int = 0
    ports: tuple[HostPort, ...] = ()
    gpus: int = 0
    gpu_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Container:
    """One container, as its engine described it last.

    Attributes:
        id: 64 hexadecimal digits.
        node_id: the node that has it.
        names: without leading slash; its own name first, then link aliases (``web/db``).
        image: as the client named it.
        image_id: ``sha256:...``.
        created: Unix seconds of the engine's clock.
        state: created, running, paused, restarting, removing, exited or dead.
        labels: from its inspection.
        claim: the resources that it takes from the node.
        summary: its object in ``GET /containers/json``, unchanged.  Like *detail*, it is kept
            compressed: reading a value decodes the document.
        detail: its ``GET /containers/{id}/json``, unchanged.
        read: facts that were read from its documents; ``None`` if they were not.
    """

    id: str
    node_id: str
    names: tuple[str, ...]
    image: str
    image_id: str
    created: float
    state: str
    labels: Mapping[str, str]
    claim: Claim
    summary: Mapping[str, Any]
    detail: Mapping[str, Any]
    read: ContainerFacts | None = None

    @property
    def facts(self) -> ContainerFacts:
        """What its documents tell beyond the fields above."""
        return read_facts(self.summary, self.detail) if self.read is None else self.read

    @property
    def name(self) -> str:
        """Its own name; empty for the rare container without one."""
        return self.names[0] if self.names else ""

    @property
    def called(self) -> str:
        """Its name, or its short id, for refusal texts."""
        return self.name or self.id[:12]

    @property
    def swarm_id(self) -> str:
        """Label ``com.docker.swarm.id``, which stays when it is recreated; may be empty."""
        return self.labels.get("com.docker.swarm.id", "")

    @property
    def words(self) -> set[str]:
        """All texts that refer to it: its ids, the short ids, and its names."""
        words = {self.id, self.id[:12], *self.names}
        if swarm_id := self.swarm_id:
            words |= {swarm_id, swarm_id[:12]}
        words.discard("")
        return words

    @property
    def running(self) -> bool:
        """Whether it has processes; includes paused and restarting, as in ``docker ps``."""
        return self.state in ("running", "paused", "restarting")

    @property
    def awaits_start(self) -> bool:
        """Whether it was created and its start has not been tried.

        A container that failed to start keeps the state ``created``, with an error.
        """
        return self.state == "created" and not self.facts.start_failed


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """An event of an engine or of the cluster.

    Attributes:
        type, action: Docker's; the action with its suffix (``exec_create: sh``).
        actor_id: id of the object.
        attributes: the actor's, with ``node.name``, ``node.id``, ``node.addr`` and ``node.ip``.
        time_nano: Unix nanoseconds of the engine's clock.
        node_id: the engine's node.
        raw: the engine's object with the node's attributes, ready to be sent to clients.
        size: bytes of the engine's line; 0 for events of the cluster itself.
    """

    type: str
    action: str
    actor_id: str
    attributes: Mapping[str, str]
    time_nano: int
    node_id: str
    raw: Mapping[str, Any]
    size: int = 0

    @property
    def verb(self) -> str:
        """The action without its suffix: ``exec_create`` for ``exec_create: sh -c true``."""
        return self.action.partition(": ")[0]
