"""The nouns: what discovery, the engines' caches, the scheduler and plugins hand to each other.

All frozen.  A change makes a new object, so that holding one is always safe, and ``is`` tells
whether something changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from swarmcore.addresses import Address
from swarmcore.json_values import as_object

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB

#: One CPU in Docker's unit.
NANO = 1_000_000_000


class State(Enum):
    """What an engine is to us; the values are what classic prints in ``info``."""

    PENDING = "Pending"
    HEALTHY = "Healthy"
    UNHEALTHY = "Unhealthy"
    DISCONNECTED = "Disconnected"


class ContainerCounts(NamedTuple):
    """How many containers a node has, as ``docker info`` counts them.

    Attributes:
        running: running or restarting.
        paused: paused.
        stopped: all others, also created and dead ones.
    """

    running: int
    paused: int
    stopped: int


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """PEM files for talking to an engine; paths, empty where not given."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine as discovery announces it.

    Attributes:
        address: where it listens.
        labels: become node labels, below the engine's own.
        tls: how to secure this connection; ``None``: as the manager is configured.
    """

    address: Address
    labels: Mapping[str, str] = field(default_factory=dict)
    tls: TLSFiles | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """Why a node takes no new containers; its text is for refusals and ``info``.

    Attributes:
        reason: the operator's words, may be empty.
        author: who said so, may be empty.
        since: Unix seconds; 0 when unknown.
    """

    reason: str = ""
    author: str = ""
    since: float = 0.0

    def __str__(self) -> str:
        by = f"by {self.author}" if self.author else ""
        return ", ".join(filter(None, (self.reason, by)))


@dataclass(frozen=True, slots=True)
class FailedPulls:
    """Pulls that failed on a node lately, for a reason that was the node's.

    Attributes:
        scope: what the reason concerns: a registry's host, one image in its normal spelling, or
            every image where it is empty.
        count: how many failed since one succeeded.
        image: the last one's, as the client named it.
        reason: the last one's, in the engine's words.
        at: Unix seconds of the last one.
        until: trio time from which on they are forgotten.
    """

    scope: str
    count: int
    image: str
    reason: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What an operator decided about one node; engines know nothing of it.

    Attributes:
        drained: why it takes no new containers; ``None`` when it does.
        labels: go before the engine's own of the same key.
    """

    drained: Drain | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


#: A number of GPUs: all that there are, as in Docker's ``DeviceRequests``.
ALL_GPUS = -1

#: Every address of a host, in the forms that Docker writes.
ANY_IP = frozenset({"", "0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host port that a container takes, or a range of which the engine gives it one.

    Attributes:
        first, last: inclusive; equal for a single port.
        protocol: ``tcp``, ``udp`` or ``sctp``.
        ip: the host address bound; one of ``ANY_IP`` means all.
    """

    first: int
    last: int
    protocol: str = "tcp"
    ip: str = ""

    def clashes(self, other: "HostPort") -> bool:
        """Whether both may come to mean one port of one host."""
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
    """What a container takes from its node.

    Attributes:
        nano_cpus: CPUs in units of 1e-9.
        memory: bytes.
        ports: host ports, fixed ones only; the engine chooses the others.
        gpus: how many GPUs, whichever they are: the node's first ones once there; ``ALL_GPUS``
            for all of them.
        gpu_ids: GPUs by name.
    """

    nano_cpus: int = 0
    memory: int = 0
    ports: tuple[HostPort, ...] = ()
    gpus: int = 0
    gpu_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Container:
    """One container as its engine last told us.

    Attributes:
        id: 64 hex digits.
        node_id: the node that holds it.
        names: without the leading slash, the container's own first, then link aliases (``web/db``).
        image: as the client named it.
        image_id: ``sha256:...``.
        created: Unix seconds, by the engine's clock.
        state: created, running, paused, restarting, removing, exited or dead.
        labels: from inspect.
        claim: what it takes from the node.
        summary: its object in ``GET /containers/json``, untouched.
        detail: its ``GET /containers/{id}/json``, untouched.
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

    @property
    def name(self) -> str:
        """Its own name, empty for the rare container without one."""
        return self.names[0] if self.names else ""

    @property
    def called(self) -> str:
        """What refusals call it: its name, or its short id."""
        return self.name or self.id[:12]

    @property
    def swarm_id(self) -> str:
        """The identity that survives rescheduling (label ``com.docker.swarm.id``), or empty."""
        return self.labels.get("com.docker.swarm.id", "")

    @property
    def words(self) -> set[str]:
        """What it answers to: its ids, also the short ones, and its names."""
        ids = (self.id, self.swarm_id)
        return {*ids, *(id[:12] for id in ids), *self.names} - {""}

    @property
    def running(self) -> bool:
        """Whether it has processes; paused and restarting count, as in ``docker ps``."""
        return self.state in ("running", "paused", "restarting")

    @property
    def awaits_start(self) -> bool:
        """Whether it was made and nobody has tried to start it yet.

        An engine that could not start a container keeps the reason, and the state ``created``.
        """
        return self.state == "created" and not as_object(self.detail.get("State")).get("Error")


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something that an engine, or the cluster, says happened.

    Attributes:
        type, action: Docker's, action with its suffix (``exec_create: sh``).
        actor_id: the object's id.
        attributes: the actor's, with ``node.name``, ``node.id``, ``node.addr`` and ``node.ip``.
        time_nano: Unix nanoseconds by the engine's clock.
        node_id: whose it is; empty for none.
        raw: the object as the engine sent it, node attributes added, ready to be filtered and sent.
    """

    type: str
    action: str
    actor_id: str
    attributes: Mapping[str, str]
    time_nano: int
    node_id: str
    raw: Mapping[str, Any]

    @property
    def verb(self) -> str:
        """The action without its suffix: ``exec_create`` of ``exec_create: sh -c true``."""
        return self.action.partition(": ")[0]
