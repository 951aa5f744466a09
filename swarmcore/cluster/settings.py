"""The operator's settings of the cluster, and the id of this manager."""

import hashlib
import socket
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """The operator's settings of the cluster.

    Attributes:
        name: host name of the manager.
        experimental: whether ``--experimental`` is given.
        classic: whether errors begin with Swarm classic's sentences (``swarm.compat=classic``).
        cpu_shares_are_cpus: whether ``CpuShares`` claims that number of CPUs, as in Swarm classic.
        alternates: how many more nodes a create tries after failures that a node caused.
        reservation_seconds: how long a create's claim is held for the client's pull, and a
            container's ports for its first start.
        starts: how many creates and starts one engine runs at the same time; 0 for no limit.
        queue_seconds: how long a create waits for free resources if its labels do not say; 0: it
            does not wait.
        queue_limit: how many creates may wait at the same time.
    """

    name: str = field(default_factory=socket.gethostname)
    experimental: bool = False
    classic: bool = False
    cpu_shares_are_cpus: bool = False
    alternates: int = 3
    reservation_seconds: float = 300.0
    starts: int = 0
    queue_seconds: float = 0.0
    queue_limit: int = 1000


_MACHINE_ID = Path("/etc/machine-id")


def identify(host_name: str) -> str:
    """Derive the manager's id from machine id and host name, so that restarts do not change it."""
    try:
        machine = _MACHINE_ID.read_text().strip()
    except OSError:
        machine = ""
    return hashlib.sha256(f"swarmcore {machine} {host_name}".encode()).hexdigest()
