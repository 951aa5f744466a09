"""``GET /version`` of a cluster: the release of its oldest engine, and the manager's.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from swarmcore.model import State
from swarmcore.node import Node
from swarmcore.printable import printable
from swarmcore.protocols import ClusterView


@dataclass(frozen=True, slots=True)
class ManagerFacts:
    """Facts about the manager's process and machine.

    Attributes:
        release: the release of swarmcore.
        python: the version of the interpreter.
        kernel: the release of the kernel.
        os: the operating system, in lower case.
        arch: the architecture as Go names it: ``amd64``.
        machine: the architecture as ``uname`` names it: ``x86_64``.
    """

    release: str
    python: str
    kernel: str
    os: str
    arch: str
    machine: str


def describe_version(
    cluster: ClusterView, manager: ManagerFacts, *, classic: bool = False
) -> dict[str, Any]:
    """Return the document of ``GET /version``.

    Its ``ApiVersion`` equals the one that ``_ping`` announces, because some clients read the first
    and some the second.

    Args:
        cluster: the cluster whose engines count.
        manager: the manager that answers.
        classic: show the manager's own release, ``swarm/0.1.0``, as Swarm classic did.
    """
    release = cluster_release(cluster.nodes(), manager, classic=classic)
    details = {
        "ApiVersion": str(cluster.api_version),
        "MinAPIVersion": str(cluster.min_api_version),
        "Os": manager.os,
        "Arch": manager.arch,
        "BuildTime": "",
        "GitCommit": "",
        "GoVersion": f"python{manager.python}",
        "KernelVersion": manager.kernel,
    }
    engine = {"Name": "Engine", "Version": release, "Details": {**details, "Experimental": "false"}}
    ours = {"Name": "swarmcore", "Version": manager.release, "Details": {"GitCommit": ""}}
    return {
        "Platform": {"Name": f"swarmcore {manager.release}"},
        "Components": [engine, ours],
        "Version": release,
        **details,
    }


def cluster_release(nodes: Iterable[Node], manager: ManagerFacts, *, classic: bool = False) -> str:
    """Return the oldest release among the engines that answer: ``20.10.24+swarmcore``.

    Clients derive features from the number and refuse a small one.  Scripts for Swarm classic look
    for the prefix ``swarm/``.

    Args:
        nodes: all nodes.
        manager: the manager; its release is used if no engine answers.
        classic: return the manager's release with the prefix ``swarm/`` instead.
    """
    if classic:
        return f"swarm/{manager.release}"
    releases = [node.version for node in nodes if node.version and node.state is State.HEALTHY]
    if not releases:
        return f"{manager.release}+swarmcore"
    return printable(f"{min(releases, key=_release_key).partition('+')[0]}+swarmcore")


def _release_key(release: str) -> tuple[tuple[int, str], ...]:
    parts = release.partition("+")[0].split(".")
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
