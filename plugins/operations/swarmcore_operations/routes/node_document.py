"""One node as JSON: its state, its claims, and operators' settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from swarmcore.model import Claim, Drain, FailedPulls
from swarmcore.node import Node
from swarmcore_operations.routes.timestamps import show_moment


def node_document(node: Node) -> dict[str, Any]:
    """The document of a node.

    Sizes are in bytes, CPUs in units of 1e-9.  Amounts that may be claimed include overcommit; they
    may be exceeded by containers that were not placed by a manager, and then nothing is free.
    """
    return {
        "Name": node.name,
        "Address": node.address,
        "ID": node.id,
        "State": node.state.value,
        "Error": node.error,
        "FailedPulls": [_failed_pulls(failed) for failed in node.failed_pulls.values()],
        "Drained": None if node.drained is None else _drain(node.drained),
        "Version": node.version,
        "APIVersion": str(node.api_version) if node.version else "",
        "NanoCPUs": _share(node.total_nano_cpus, node.used_nano_cpus),
        "Memory": _share(node.total_memory, node.used_memory),
        "Slots": _slots(node),
        "GPUs": _gpus(node),
        "Containers": _containers(node),
        "Ports": [{"Port": port, "Holder": holder} for port, holder in sorted(_ports(node))],
        "Reservations": [
            {"Name": held.name, "Image": held.image, **_claim(held.claim)}
            for held in node.reservations.values()
            if held.image  # not of a network or a volume
        ],
        "Labels": dict(sorted(node.labels.items())),
        "AddedLabels": dict(sorted(node.added_labels.items())),
        "UpdatedAt": show_moment(node.updated_at),
    }


def _drain(drained: Drain) -> dict[str, Any]:
    return {
        "Reason": drained.reason,
        "Author": drained.author,
        "Since": show_moment(drained.since),
        "Move": drained.moves,
    }


def _failed_pulls(failed: FailedPulls) -> dict[str, Any]:
    return {
        "Scope": failed.scope,
        "Count": failed.count,
        "Image": failed.image,
        "Reason": failed.reason,
        "At": show_moment(failed.at),
    }


def _share(total: int, claimed: int) -> dict[str, int]:
    return {"Total": total, "Claimed": claimed, "Free": max(total - claimed, 0)}


def _slots(node: Node) -> Mapping[str, int] | None:
    return None if node.slots is None else _share(node.slots, node.taken_slots)


def _gpus(node: Node) -> Mapping[str, Any] | None:
    """GPUs and their holders; ``None`` if there are none, or their number is unknown."""
    stock, holders = node.gpus, node.gpu_holders
    if not stock.ids:
        return None
    held = [{"GPU": id, "Holder": holder} for id, holder in holders.items()]
    return {**_share(len(stock.ids), len(held)), "Shared": stock.shared, "Held": held}


def _containers(node: Node) -> dict[str, int]:
    """The numbers of containers, as in ``docker info``."""
    running, paused, stopped = node.container_counts
    total = len(node.containers)
    return {"Total": total, "Running": running, "Paused": paused, "Stopped": stopped}


def _claim(claim: Claim) -> dict[str, Any]:
    ports = [str(port) for port in claim.ports]
    return {
        "NanoCPUs": claim.nano_cpus,
        "Memory": claim.memory,
        "Ports": ports,
        "GPUs": claim.gpus,
        "GPUIDs": list(claim.gpu_ids),
    }


def _ports(node: Node) -> Iterator[tuple[str, str]]:
    for container in node.containers.values():
        for port in container.claim.ports:
            yield str(port), container.name or container.id[:12]
    for held in node.reservations.values():
        for port in held.claim.ports:
            yield str(port), held.name
