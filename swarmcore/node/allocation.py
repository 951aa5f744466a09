"""The resources of one node that are taken: CPU, memory, ports and GPUs.

Containers in every state take CPU, memory and GPUs, as they may be started at any time.  Ports
collide when containers start, as on an engine: a container that runs or is about to run *holds* its
ports, an idle container only *claims* them, for its next start.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from swarmcore.container_facts import Thing
from swarmcore.model import Claim, Container
from swarmcore.node.gpus import GpuTable
from swarmcore.node.ports import PortTable


@dataclass(slots=True)
class Allocation:
    """The sum of all claims on one node.

    Attributes:
        nano_cpus: CPUs in units of 1e-9.
        memory: bytes.
        gpus: GPUs of all containers.
        ports: held ports.
        claimed_ports: held ports, and the ports that idle containers claim.
        aside: how many containers are left out now; see ``without``.
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
        """Container id -> container that holds ports and waits for its first start."""
        return self._starting

    def take(self, claim: Claim, holder: str, *, idle: bool = False) -> None:
        """Add *claim*.

        Args:
            claim: the resources.
            holder: the name of the container in refusal texts.
            idle: whether its ports are only claimed, not held.
        """
        self.claimed_ports.take(claim.ports, holder)
        self._bring_back(claim, holder, idle=idle)

    def give_back(self, claim: Claim, holder: str, *, idle: bool = False) -> None:
        """Undo one ``take`` with the same arguments."""
        self.claimed_ports.give_back(claim.ports, holder)
        self._set_aside(claim, holder, idle=idle)

    def add(self, container: Container, before: Container | None) -> None:
        """Add *container*, in place of its former state *before*.

        A container holds its ports while it runs, and from its creation to the end of its first
        start.
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
        """Remove the claims of *container*."""
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
        """Leave *containers* out while the block runs, except their claims on ports."""
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


# ---- reservations


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A placed container, network or volume that the engine does not show yet.

    Attributes:
        id: swarm id of the container.
        name: container name without slash; empty for a network or volume.
        node_id: the chosen node.
        image: as the client named it; empty for a network or volume.
        claim: the resources.
        labels: container labels, for affinities.
        expires: trio time at which the reservation ends.
        volumes: names of the volumes that it will use, or create.
        networks: names and ids of the networks that it will use, or create.
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
        """The texts that refer to the container: its name, its swarm id, and the short swarm id."""
        return {self.id, self.id[:12], self.name} - {""}

    @property
    def called(self) -> str:
        """The container's name, or its short id, for refusal texts."""
        return self.name or self.id[:12]

    @property
    def things(self) -> frozenset[Thing]:
        """The networks and volumes that its container will use."""
        volumes: tuple[Thing, ...] = tuple(("volume", name) for name in self.volumes if self.image)
        return frozenset((*volumes, *(("network", word) for word in self.networks)))


# ---- overcommit


#: The label by which an operator sets the overcommit of one node.
OVERCOMMIT_LABEL = "swarm.overcommit"
#: The largest accepted fraction; larger ones are taken for typing errors.
MOST_OVERCOMMIT = 1000.0


@functools.lru_cache(maxsize=1024)  # every rule asks it of every node
def read_overcommit(text: str) -> float | None:
    """The fraction in a label ``swarm.overcommit``; ``None`` if the text is not valid."""
    with contextlib.suppress(ValueError):
        fraction = float(text)
        if -1 < fraction <= MOST_OVERCOMMIT:
            return fraction
    return None
