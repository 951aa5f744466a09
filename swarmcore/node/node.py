"""A node: the state of one engine as the scheduler and plugins see it.

Only the engine changes its node, by the methods of the last section; all other code reads it.  Used
CPU, memory, ports, names and labels are counted as they change, so that a decision need not visit
every container.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from swarmcore.images import words_of_name
from swarmcore.match_cache import Texts
from swarmcore.model import (
    ALL_GPUS,
    NANO,
    Claim,
    Container,
    ContainerCounts,
    Drain,
    FailedPulls,
    HostPort,
    NodeSettings,
    State,
)
from swarmcore.node.allocation import OVERCOMMIT_LABEL, Allocation, Reservation, read_overcommit
from swarmcore.node.changes import Aspect
from swarmcore.node.container_index import ContainerIndex
from swarmcore.node.gpus import GpuStock, found_devices, read_stock
from swarmcore.node.lists import NodeLists
from swarmcore.node.spanning import Spanning
from swarmcore.versions import FLOOR

#: The label by which an operator limits the number of containers.
_SLOTS = "containerslots"
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


class Node(NodeLists):
    """The state of one engine.

    Attributes:
        id: ``<engine id>|<address>``, as in Swarm classic; the address alone while pending.
        name: host name of the engine; empty while pending.
        address: ``host:port``, or the URL of another transport.
        ip: first IP address of its host; shown with published ports.
        state: Pending, Healthy, Unhealthy or Disconnected.
        failures: consecutive connection failures.
        failure_limit: the number of failures that makes it unhealthy (``--engine-failure-retry``).
        error: text of the last failure, or why it is pending.
        drained: the reason why it takes no new containers; ``None`` if it is not drained.
        cpus: number of CPUs.
        memory: bytes.
        overcommit: fraction added to both when placing, unless the label ``swarm.overcommit`` is
            set.
        cpu_shares_are_cpus: whether containers' CPU shares count as CPUs, as in Swarm classic.
        version: Docker release of the engine.
        skew_seconds: the manager's clock minus the engine's; 0 if they agree.
        api_version: the newest API version it supports.
        min_api_version: the oldest API version it supports.
        spanning: objects that span the engines of the cluster.
        failed_pulls: recent pulls that failed because of this node, by scope.
        updated_at: Unix seconds of the last contact, without fractions.
        container_changes, reservation_changes: how often containers, and reservations, were
            changed; what was derived from them is valid while the number is the same.
    """

    def __init__(
        self, id: str, address: str, *, overcommit: float = 0.05, spanning: Spanning | None = None
    ) -> None:
        super().__init__(id, "", spanning)
        self.address = address
        self.ip = ""
        self.state = State.PENDING
        self.failures = 0
        self.failure_limit = 3
        self.error = ""
        self.drained: Drain | None = None
        self._labels: Mapping[str, str] = {}
        self._engine_labels: Mapping[str, str] = {}
        self._added_labels: Mapping[str, str] = {}
        self.cpus = 0
        self.memory = 0
        self.overcommit = overcommit
        self.cpu_shares_are_cpus = False
        self.version = ""
        self.skew_seconds = 0.0
        self.api_version = FLOOR
        self.min_api_version = FLOOR
        self.failed_pulls: Mapping[str, FailedPulls] = {}
        self.updated_at = 0.0
        self._containers: dict[str, Container] = {}
        self._hidden_containers: set[str] = set()
        self.container_changes = 0
        self.reservation_changes = 0
        self._reservations: dict[str, Reservation] = {}
        self._states: Counter[str] = Counter()
        self._allocation = Allocation()
        #: The previous name of a container -> its id.
        self._renamed: dict[str, str] = {}
        self._gpu_stock: tuple[object, object, GpuStock] = (self._labels, self._info, GpuStock())
        self._index = ContainerIndex()

    def __repr__(self) -> str:
        return f"<Node {self.name or '(unknown)'} {self.address} {self.state.value}>"

    # ---- reading

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels that an operator added, else the engine's own and those from ``info``
        (``storagedriver``, ``ostype``, ...)."""
        return self._labels

    @labels.setter
    def labels(self, labels: Mapping[str, str]) -> None:
        """Replace the engine's own labels; labels that an operator added are kept."""
        self._engine_labels = labels
        self._labels = {**labels, **self._added_labels}

    @property
    def added_labels(self) -> Mapping[str, str]:
        """The labels that an operator added."""
        return self._added_labels

    @property
    def containers(self) -> Mapping[str, Container]:
        """Container id -> container, in every state."""
        return self._containers

    @property
    def shown_containers(self) -> Mapping[str, Container]:
        """Like ``containers``, without hidden ones, such as one of the two copies of a move."""
        hidden = self._hidden_containers
        if not hidden:
            return self._containers
        return {id: each for id, each in self._containers.items() if id not in hidden}

    @property
    def reservations(self) -> Mapping[str, Reservation]:
        """Swarm id -> reservation of a container that the engine does not show yet."""
        return self._reservations

    @property
    def container_count(self) -> int:
        """The number of containers and reservations, without containers left out by ``without``."""
        return len(self._containers) - self._allocation.aside + len(self._reservations)

    @property
    def taken_slots(self) -> int:
        """Like ``container_count``, without reservations of networks and volumes."""
        reserved = sum(bool(each.image) for each in self._reservations.values())
        return len(self._containers) - self._allocation.aside + reserved

    @property
    def slots(self) -> int | None:
        """The number of containers that the label ``containerslots`` allows; ``None``: no limit.

        As in Swarm classic, a label that is not a whole number sets no limit.
        """
        text = self._labels.get(_SLOTS, "")
        return int(text) if _WHOLE_NUMBER.fullmatch(text) else None

    @property
    def states(self) -> Mapping[str, int]:
        """State -> number of containers; a state without containers may be missing."""
        return self._states

    @property
    def container_counts(self) -> ContainerCounts:
        """The numbers of running, paused and stopped containers."""
        count = self._states.get
        running, paused = count("running", 0) + count("restarting", 0), count("paused", 0)
        return ContainerCounts(running, paused, len(self.containers) - running - paused)

    @property
    def used_nano_cpus(self) -> int:
        """CPUs claimed by containers and reservations, in units of 1e-9."""
        return self._allocation.nano_cpus

    @property
    def used_memory(self) -> int:
        """Bytes claimed by containers and reservations."""
        return self._allocation.memory

    @property
    def total_nano_cpus(self) -> int:
        """CPUs that may be claimed, including overcommit, in units of 1e-9.

        Swarm classic adds a truncated percentage of whole CPUs, so four CPUs with 5 % remain four.
        """
        return (self.cpus + self.cpus * self._percent // 100) * NANO

    @property
    def total_memory(self) -> int:
        """Bytes that may be claimed, including overcommit."""
        return self.memory + self.memory * self._percent // 100

    @property
    def _percent(self) -> int:
        fraction = read_overcommit(self._labels.get(OVERCOMMIT_LABEL, ""))
        return int((self.overcommit if fraction is None else fraction) * 100)

    @property
    def health(self) -> int:
        """100 without failures, less after recent failures, 0 if the node cannot be used."""
        if self.state is not State.HEALTHY or self.failures >= self.failure_limit:
            return 0
        return 100 - self.failures * 100 // self.failure_limit

    @property
    def machine(self) -> tuple[str, str]:
        """Operating system and architecture from ``info``; either may be empty."""
        return str(self.info.get("OSType", "")), str(self.info.get("Architecture", ""))

    @property
    def gpus(self) -> GpuStock:
        """The GPUs of the machine; determined again after labels or ``info`` were replaced."""
        labels, info, stock = self._gpu_stock
        if labels is not self._labels or info is not self.info:
            stock = read_stock(self._labels, self.info)
            self._gpu_stock = self._labels, self.info, stock
        return stock

    @property
    def gpu_holders(self) -> Mapping[str, str]:
        """GPU -> name of the container that holds it; empty if GPUs are shared or not counted."""
        return self._allocation.gpus.holders(self.gpus)

    @property
    def free_gpus(self) -> Sequence[str]:
        """The GPUs that no container holds."""
        return self._allocation.gpus.free(self.gpus)

    @property
    def cdi_devices(self) -> Collection[str]:
        """Full names of the CDI devices that the engine discovered (API 1.50)."""
        return found_devices(self.info)

    def with_chosen_gpus(self, claim: Claim) -> Claim:
        """*claim* with ids of free GPUs instead of their number, if GPUs are counted."""
        stock = self.gpus
        if not (claim.gpus and stock.counted):
            return claim
        asked = {stock.find(name) for name in claim.gpu_ids}
        free = [id for id in self.free_gpus if id not in asked]
        chosen = free if claim.gpus == ALL_GPUS else free[: claim.gpus]
        return replace(claim, gpus=0, gpu_ids=(*claim.gpu_ids, *chosen))

    def port_clash(
        self, ports: Sequence[HostPort], *, claimed: bool = False
    ) -> tuple[HostPort, str] | None:
        """The first of *ports* that is not available together with the others, and its holder.

        Args:
            ports: all ports of one container.
            claimed: whether ports that are only claimed count as taken: those of idle containers,
                and those of containers left out by ``without``.
        """
        taken = self._allocation.claimed_ports if claimed else self._allocation.ports
        return taken.clash(ports)

    @property
    def starting(self) -> Mapping[str, Container]:
        """Container id -> container that holds ports and waits for its first start."""
        return self._allocation.starting

    def renamed_from(self, name: str) -> str:
        """The id of the container whose previous name was *name*, or an empty text."""
        return self._renamed.get(name, "")

    @property
    def container_words(self) -> Collection[str]:
        """Texts that refer to containers and reservations: ids, swarm ids, short ids, names."""
        return self._index.words

    def container_label_values(self, key: str) -> Collection[str]:
        """The values of one label; includes the empty text if a container lacks the label."""
        return self._index.label_values(key)

    def has_volume(self, name: str) -> bool:
        """Whether the engine has or shares a volume *name*, or a reservation will create it."""
        promised = (each.volumes for each in self._reservations.values())
        return self.reaches_volume(name) or any(name in volumes for volumes in promised)

    @property
    def image_words(self) -> Collection[str]:
        """Texts that refer to images of the node and of its reservations: ids, short ids, tags,
        digests, and repository names."""
        if not self._reservations:
            return self._node_images.words
        reserved = (words_of_name(held.image) for held in self._reservations.values())
        return Texts(self._node_images.words, frozenset().union(*reserved))

    # ---- changing: called by the engine that owns this node

    def apply(self, settings: NodeSettings) -> None:
        """Apply the operator's settings of this node."""
        self.drained = settings.drained
        if settings.labels != self._added_labels:
            self._added_labels = settings.labels
            self.labels = self._engine_labels

    def put_container(self, container: Container) -> None:
        """Add or replace a container; ends the reservation with the same swarm id."""
        before = self._containers.get(container.id)
        if before is not None:
            self._forget(before)
            if before.name != container.name:
                self._forget_former_name(container.id)
                self._renamed[before.name] = container.id
        if container.swarm_id:
            self.release(container.swarm_id)
        self._containers[container.id] = container
        self.container_changes += 1
        self._states[container.state] += 1
        self._allocation.add(container, before)
        self._index.add(container.words, container.labels)
        self.objects.use(container.facts.things)

    def drop_container(self, id: str) -> Container | None:
        """Remove a container; return it, or ``None`` if it was not known."""
        container = self._containers.get(id)
        if container is not None:
            self._forget(container)
            self._allocation.remove(container)
            self._forget_former_name(id)
            self._hidden_containers.discard(id)
        return container

    def _forget_former_name(self, id: str) -> None:
        self._renamed = {name: of for name, of in self._renamed.items() if of != id}

    def _forget(self, container: Container) -> None:
        del self._containers[container.id]
        self.container_changes += 1
        self._states[container.state] -= 1
        self._index.remove(container.words, container.labels)
        self.objects.disuse(container.facts.things)

    def hide_container(self, id: str) -> None:
        """Do not show a container to clients as long as the engine has it; its claim counts."""
        if id in self._containers and id not in self._hidden_containers:
            self._hidden_containers.add(id)
            self.container_changes += 1

    def show_container(self, id: str) -> None:
        """Undo ``hide_container``."""
        if id in self._hidden_containers:
            self._hidden_containers.remove(id)
            self.container_changes += 1

    def give_up_start(self, id: str) -> None:
        """Release the ports of a container that was not started in time."""
        self._allocation.give_up_start(id)
        self._note(Aspect.CONTAINERS)

    @contextmanager
    def without(self, ids: Collection[str]) -> Iterator[None]:
        """Leave the claims of these containers out while the block runs.

        For a container that is to replace them.  Their claims on ports stay; see ``port_clash``.
        """
        here = [self._containers[id] for id in ids if id in self._containers]
        self._note(Aspect.CONTAINERS)
        try:
            with self._allocation.without(here):
                yield
        finally:
            self._note(Aspect.CONTAINERS)

    def reserve(self, reservation: Reservation) -> None:
        """Add a reservation."""
        self.release(reservation.id)
        self._reservations[reservation.id] = reservation
        self.reservation_changes += 1
        self._allocation.take(reservation.claim, reservation.called)
        self._index.add(reservation.words, reservation.labels)
        self.objects.use(reservation.things)

    def release(self, id: str) -> Reservation | None:
        """End a reservation; return it, or ``None`` if there was none."""
        reservation = self._reservations.pop(id, None)
        if reservation is not None:
            self.reservation_changes += 1
            self._allocation.give_back(reservation.claim, reservation.called)
            self._index.remove(reservation.words, reservation.labels)
            self.objects.disuse(reservation.things)
        return reservation
