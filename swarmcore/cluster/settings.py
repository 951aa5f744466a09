"""What the operator decides about the cluster itself, and the identity of this manager."""

import hashlib
import socket
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """What the operator decides about the cluster itself.

    Attributes:
        name: the manager's host name.
        experimental: ``--experimental``.
        classic: errors begin with Swarm classic's sentences (``swarm.compat``).
        cpu_shares_are_cpus: a create's ``CpuShares`` claims that many CPUs, as classic had it.
        alternates: how many other nodes a create tries when a failure is the node's.
        reservation_seconds: how long the claim of a create waits for the client's pull, and the
            ports of a container for its first start.
        starts: how many creates and starts one engine has at once; 0 for any number.
        queue_seconds: how long a create waits for room where no label of it says that; 0: not.
        queue_limit: how many may wait at once.
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
    """An id of the manager that is the same after a restart on the same machine."""
    try:
        machine = _MACHINE_ID.read_text().strip()
    except OSError:
        machine = ""
    return hashlib.sha256(f"swarmcore {machine} {host_name}".encode()).hexdigest()
