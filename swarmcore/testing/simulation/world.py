"""The world of one simulation: a network with engines, managers, a store and clients."""

from collections.abc import Iterator
from contextvars import ContextVar
from random import Random

import trio

from swarmcore.cluster import Cluster
from swarmcore.container_config import SWARM_ID
from swarmcore.testing.embedded import ContainerRecord
from swarmcore.testing.simulation.history import History
from swarmcore.testing.simulation.hosts.engines import SimulatedEngine
from swarmcore.testing.simulation.hosts.managers import TTL_SECONDS, SimulatedManager
from swarmcore.testing.simulation.hosts.network import Host, Network, current_host
from swarmcore.testing.simulation.hosts.store import Store
from swarmcore.testing.simulation.plan import Plan

#: The label of a copy, with the ids of the containers whose place it has taken.
MOVED_FROM = "com.docker.swarm.moved-from"
#: Unix seconds at which every simulation begins.
_EPOCH = 1_600_000_000

#: The world of the current run, for the plugin of its managers.
current_world: ContextVar["World | None"] = ContextVar("current_world", default=None)


def wall_nanoseconds() -> int:
    """The wall clock of the current host in Unix nanoseconds."""
    host = current_host.get()
    offset = 0 if host is None else host.clock_offset
    return _EPOCH * 10**9 + int(trio.current_time() * 1e9) + offset


class World:
    """All hosts of a simulation, and what is counted as a disturbance of each.

    Args:
        plan: what is to happen.
        history: receives everything that happens.

    Attributes:
        has_moved: whether a container was ever moved.
    """

    def __init__(self, plan: Plan, history: History) -> None:
        random = Random(f"world {plan.seed}")
        self.plan = plan
        self.history = history
        self.network = Network(random)
        self.engines = {
            name: self._make_engine(name, f"10.0.0.{n}", random.getrandbits(32))
            for n, name in enumerate(plan.engines, 1)
        }
        is_replicated = len(plan.managers) > 1
        self.managers = {
            name: SimulatedManager(
                name,
                f"10.0.1.{n}",
                self.network,
                is_replicated=is_replicated,
                sent=self._note_sent,
            )
            for n, name in enumerate(plan.managers, 1)
        }
        self.store = Store(self.network.host("store", "10.0.2.1"), TTL_SECONDS, random)
        self.clients = {
            name: self.network.host(name, f"10.0.3.{n}") for n, name in enumerate(plan.clients, 1)
        }
        self.has_moved = False
        self._seen: dict[tuple[str, str], str] = {}
        #: Host -> number of faults that disturb it now, and the end of the last one.
        self._troubles: dict[str, int] = {}
        self._calm_since: dict[str, float] = {}

    def note(self, text: str) -> None:
        """Add a line to the history."""
        self.history.note(trio.current_time(), text)

    def _make_engine(self, name: str, ip: str, seed: int) -> SimulatedEngine:
        host = self.network.host(name, ip)
        return SimulatedEngine(host, seed, wall_nanoseconds, self.note)

    def _note_sent(self, manager: SimulatedManager, peer: Host, data: bytes) -> None:
        self.history.note_message(trio.current_time(), manager.name, peer.name, data)
        cluster = manager.cluster
        is_create = data.startswith(b"POST ") and b"/containers/create" in data[:60]
        if is_create and peer.name in self.engines and cluster and not cluster.is_primary:
            self.history.violated(
                "leadership", f"{manager.name} asks {peer.name} to create and does not lead"
            )

    def note_states(self, manager: str, cluster: Cluster) -> None:
        """Add to the history how a manager's view of its engines has changed."""
        for node in cluster.nodes():
            state, key = node.state.value, (manager, node.address)
            if self._seen.get(key) != state:
                self._seen[key] = state
                self.note(f"{manager} sees {node.name or node.address} as {state} {node.error}")

    def note_copies(self) -> None:
        """Note whether there are containers that were moved."""
        self.has_moved = self.has_moved or any(
            label(record, MOVED_FROM) for _, record in self.containers()
        )

    # ---- disturbances

    def disturb(self, host: str) -> None:
        """Count a fault that may keep *host* from answering."""
        self._troubles[host] = self._troubles.get(host, 0) + 1

    def calm(self, host: str) -> None:
        """Count the end of such a fault."""
        self._troubles[host] -= 1
        self._calm_since[host] = trio.current_time()

    def is_calm(self, host: str, since: float) -> bool:
        """Whether no fault has disturbed *host* since a moment."""
        return not self._troubles.get(host) and self._calm_since.get(host, -1.0) < since

    def managers_are_calm(self, since: float) -> bool:
        """Whether no fault has disturbed a manager or the store since a moment."""
        return all(self.is_calm(name, since) for name in (*self.managers, "store"))

    @property
    def managers_were_lost(self) -> bool:
        """Whether a manager ever ended, or lost its store: the next one has to find out anew."""
        names = (*self.managers, "store")
        return any(self._troubles.get(name) or name in self._calm_since for name in names)

    # ---- the truth

    def containers(self) -> Iterator[tuple[SimulatedEngine, ContainerRecord]]:
        """Every container with its engine, whether that runs or not."""
        for engine in self.engines.values():
            for record in engine.containers:
                yield engine, record

    def holders(self, name: str) -> list[SimulatedEngine]:
        """The engines that have a container called *name*; an engine has one at most."""
        return [engine for engine, record in self.containers() if record.name == name]

    def swarm_id(self, id: str) -> str:
        """The swarm id of the container that was created with *id*; empty if it has gone."""
        return next((identity(each) for _, each in self.containers() if each.id == id), "")

    def copies(self, swarm_id: str) -> list[tuple[SimulatedEngine, ContainerRecord]]:
        """Every container with a swarm id, with its engine."""
        return [pair for pair in self.containers() if identity(pair[1]) == swarm_id]

    async def switch_off(self, address: str) -> None:
        """Switch off the machine of an engine, as a power controller does."""
        engine = next(each for each in self.engines.values() if each.address == address)
        if engine.is_serving:
            self.note(f"{engine.name} is switched off, because its containers are moved")
            engine.crash(60.0)
        await trio.sleep(0.2)


def identity(record: ContainerRecord) -> str:
    """What a container and its copies on other engines have in common."""
    return label(record, SWARM_ID) or record.id


def label(record: ContainerRecord, key: str) -> str:
    """A label's value; empty if the container has no such label."""
    labels: dict[str, str] = record.config["Labels"] or {}
    return labels.get(key, "")
