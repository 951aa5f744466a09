"""A manager as a process of a simulation: it can be killed, and started again without a memory."""

from collections.abc import Callable

import trio

from swarmcore.app import Manager
from swarmcore.cluster import Cluster
from swarmcore.options import Options
from swarmcore.protocols import DiscoveryURI
from swarmcore.testing.simulation.hosts.network import Host, Network, current_host

PORT = 3375
#: The time to live of a leader's session.
TTL_SECONDS = 6.0
#: How long an engine is lost before its containers are moved.
MOVE_AFTER_SECONDS = 15

_HOOKS = "swarmcore.testing.simulation.hosts.hooks"


class SimulatedManager:
    """One manager, and the processes that it was.

    Args:
        name, ip: its name, and its address.
        network: where it is reached.
        is_replicated: whether there are other managers.
        sent: called with each message that it sends.

    Attributes:
        host: the current process.
        manager: the same; ``None`` while it is not running.
    """

    def __init__(
        self,
        name: str,
        ip: str,
        network: Network,
        *,
        is_replicated: bool,
        sent: Callable[["SimulatedManager", Host, bytes], None],
    ) -> None:
        self.name = name
        self.ip = ip
        self.host = network.host(name, ip)
        self.manager: Manager | None = None
        self.starts = 0
        self._network = network
        self._is_replicated = is_replicated
        self._sent = sent
        self._life = trio.CancelScope()
        self._pause_seconds = 0.0

    @property
    def address(self) -> tuple[str, int]:
        """Where clients reach it."""
        return self.ip, PORT

    @property
    def cluster(self) -> Cluster | None:
        """What it knows; ``None`` while it is not running."""
        return None if self.manager is None else self.manager.cluster

    async def run(self) -> None:
        """Run, be killed and start again until cancelled."""
        while True:
            offset = self.host.clock_offset
            self.host = self._network.host(self.name, self.ip)
            self.host.clock_offset = offset
            self.host.sent = lambda peer, data: self._sent(self, peer, data)
            current_host.set(self.host)
            self.manager = Manager(self._options(), self.host.connect)
            self.starts += 1
            listener = await self.host.listen(self.ip, PORT)
            with trio.CancelScope() as self._life:
                await self.manager.serve([listener])
            self.manager = None
            await trio.sleep(self._pause_seconds)

    def kill(self, seconds: float) -> None:
        """End its process as ``kill -9`` does, and start another one later."""
        self._pause_seconds = seconds
        self.host.is_up = False
        self._network.stop_listening(self.host, PORT)
        self.host.break_connections()
        self.manager = None
        self._life.cancel()

    def _options(self) -> Options:
        return Options(
            DiscoveryURI("simulated", ""),
            plugins=(_HOOKS,),
            hosts=(f"tcp://{self.ip}:{PORT}",),
            cluster_opts={"swarm.reschedule.after": f"{MOVE_AFTER_SECONDS}s"},
            replication=self._is_replicated,
            replication_ttl_seconds=TTL_SECONDS,
            advertise=f"{self.ip}:{PORT}" if self._is_replicated else "",
        )
