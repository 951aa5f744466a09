"""``GET /version`` of a cluster: its oldest engine's release, and this manager's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from swarmcore.model import State
from swarmcore.node import Node
from swarmcore.protocols import ClusterView


@dataclass(frozen=True, slots=True)
class ManagerFacts:
    """The facts of the machine and the process that the documents show.

    Attributes:
        release: swarmcore's.
        python: the interpreter's.
        kernel, os, arch: the machine's; *arch* as Go names it, *machine* as uname does.
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
    """The document of ``GET /version``.

    Its ``ApiVersion`` is what ``_ping`` announces: some clients read one, some the other.

    Args:
        cluster: whose engines' releases count.
        manager: who answers.
        classic: the release is the manager's, ``swarm/0.1.0``, as Swarm classic told its own.
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
    """The oldest release among the engines, with our mark: ``20.10.24+swarmcore``.

    Clients conclude features from the number and refuse a small one.  Scripts for Swarm *classic*
    look for ``swarm/`` in front.
    """
    if classic:
        return f"swarm/{manager.release}"
    releases = [node.version for node in nodes if node.version and node.state is State.HEALTHY]
    if not releases:
        return f"{manager.release}+swarmcore"
    return f"{min(releases, key=_release_key).partition('+')[0]}+swarmcore"


def _release_key(release: str) -> tuple[tuple[int, str], ...]:
    parts = release.partition("+")[0].split(".")
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
