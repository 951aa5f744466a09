"""What is taken of one machine: CPU, memory, ports, GPUs, added up as containers come and go.

CPU, memory and GPUs are taken by containers in every state, for they may be started again at any
time.  Ports collide when containers start, as on an engine: what runs or is about to run *holds*
its ports, an idle container only *claims* them, for the time when it is started again.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from swarmcore.model import Claim, Container
from swarmcore.node.gpus import GpuTable
from swarmcore.node.networks_and_volumes import Thing
from swarmcore.node.ports import PortTable


@dataclass(slots=True)
class Allocation:
    """The claims of one node, added up.

    Attributes:
        nano_cpus: CPUs in units of 1e-9.
        memory: bytes.
        gpus: of all.
        ports: held ports.
        claimed_ports: held ports, and those that idle containers claim.
        aside: how many containers are set aside.
    """

    nano_cpus: int = 0
    memory: int = 0
    gpus: GpuTable = field(default_factory=GpuTable)
    ports: PortTable = field(default_factory=PortTable)
    claimed_ports: PortTable = field(default_factory=PortTable)
    aside: int = 0
    _idle: set[str] = field(default_factory=set)
    _starting: dict[str, Container] = field(default_factory=dict)

    @property
    def starting(self) -> Mapping[str, Container]:
        """Container id -> containers that hold ports and wait for their first start."""
        return self._starting

    def take(self, claim: Claim, holder: str, *, idle: bool = False) -> None:
        """Count *claim*.

        Args:
            claim: what is taken.
            holder: the name that refusals give the container.
            idle: its ports are claimed, and not held.
        """
        self.claimed_ports.take(claim.ports, holder)
        self._bring_back(claim, holder, idle=idle)

    def give_back(self, claim: Claim, holder: str, *, idle: bool = False) -> None:
        """Undo one ``take`` of the same arguments."""
        self.claimed_ports.give_back(claim.ports, holder)
        self._set_aside(claim, holder, idle=idle)

    def add(self, container: Container, before: Container | None) -> None:
        """Count *container*, in place of what was counted of it *before*.

        It holds its ports while it runs, and from its create to the end of its first start.
        """
        id = container.id
        given_up = before is not None and id in self._idle and container.state == "created"
        if before is not None:
            self.remove(before)
        if container.awaits_start and not given_up:
            if container.claim.ports:
                self._starting[id] = container
        elif not container.running:
            self._idle.add(id)
        self.take(container.claim, container.called, idle=id in self._idle)

    def remove(self, container: Container) -> None:
        """Count it no more."""
        self.give_back(container.claim, container.called, idle=container.id in self._idle)
        self._idle.discard(container.id)
        self._starting.pop(container.id, None)

    def give_up_start(self, id: str) -> None:
        """Count the container as idle: it was not started in time."""
        container = self._starting.pop(id, None)
        if container is not None:
            self._idle.add(id)
            self.ports.give_back(container.claim.ports, container.called)

    @contextmanager
    def without(self, containers: Iterable[Container]) -> Iterator[None]:
        """Count all but the claim on ports of *containers* as free while the block lasts."""
        aside = [(each, each.id in self._idle) for each in containers]
        for each, idle in aside:
            self._set_aside(each.claim, each.called, idle=idle)
        self.aside = len(aside)
        try:
            yield
        finally:
            self.aside = 0
            for each, idle in aside:
                self._bring_back(each.claim, each.called, idle=idle)

    def _set_aside(self, claim: Claim, holder: str, *, idle: bool) -> None:
        self.nano_cpus -= claim.nano_cpus
        self.memory -= claim.memory
        self.gpus.give_back(claim, holder)
        if not idle:
            self.ports.give_back(claim.ports, holder)

    def _bring_back(self, claim: Claim, holder: str, *, idle: bool) -> None:
        self.nano_cpus += claim.nano_cpus
        self.memory += claim.memory
        self.gpus.take(claim, holder)
        if not idle:
            self.ports.take(claim.ports, holder)


# ---- placements that the engine does not show yet


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A placement that the engine does not show yet: of a container, a network or a volume.

    Attributes:
        id: the container's swarm id.
        name: the container name it holds, without slash; empty for what is no container.
        node_id: where.
        image: what it will run, as the client named it; empty for what is no container.
        claim: what it takes.
        labels: its labels, for affinity.
        expires: trio time after which it is void.
        volumes: names of volumes that there will be.
        networks: names and ids of networks that it will be on.
    """

    id: str
    name: str
    node_id: str
    image: str
    claim: Claim
    labels: Mapping[str, str]
    expires: float
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    @property
    def words(self) -> set[str]:
        """What it answers to: its swarm id, also the short one, and its name."""
        return {self.id, self.id[:12], self.name} - {""}

    @property
    def called(self) -> str:
        """What refusals call it: its name, or its short id."""
        return self.name or self.id[:12]

    @property
    def things(self) -> frozenset[Thing]:
        """The networks and volumes that its container will use."""
        volumes: tuple[Thing, ...] = tuple(("volume", name) for name in self.volumes if self.image)
        return frozenset((*volumes, *(("network", word) for word in self.networks)))


# ---- overcommit


#: The label by which an operator gives out more, or less, of one node than of others.
OVERCOMMIT_LABEL = "swarm.overcommit"
#: More is a slip of the pen.
MOST_OVERCOMMIT = 1000.0


def read_overcommit(text: str) -> float | None:
    """The fraction that a label ``swarm.overcommit`` asks for; ``None`` when it is none."""
    with contextlib.suppress(ValueError):
        fraction = float(text)
        if -1 < fraction <= MOST_OVERCOMMIT:
            return fraction
    return None
