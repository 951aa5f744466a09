"""What a new network is labelled with, and when another engine is to make it.  Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from swarmcore.config.network_labels import BY_ENGINE, SUBNET_BY
from swarmcore.json_values import as_object
from swarmcore.messages import Answer
from swarmcore.node import Node

#: The engines' words for it, by release.
_NO_POOL = re.compile("non-overlapping IPv[46] address pool|pools have been fully subnetted")
_CONSTRAINTS = "com.docker.swarm.constraints"
#: Drivers whose networks span engines.
_SPANNING = frozenset({"overlay"})


def has_no_pool(answer: Answer) -> bool:
    """Whether an engine made no network because its address pools are used up."""
    return not answer.ok and _NO_POOL.search(answer.message) is not None


def labelled(body: Mapping[str, Any], pinned: Node | None) -> dict[str, Any]:
    """A create's *body* that says who chose the subnet and the node, for later moves.

    Args:
        body: in Docker's spelling.
        pinned: the node that the client named.
    """
    labels = pinned_labels(body.get("Labels"), pinned)
    if _subnet_is_engines(body):
        labels[SUBNET_BY] = BY_ENGINE
    return {**body, "Labels": labels} if labels else dict(body)


def pinned_labels(labels: Any, pinned: Node | None) -> dict[str, Any]:
    """The labels of an object that stays on the node that the client named, if it named one."""
    read = dict(as_object(labels))
    if pinned is not None and _CONSTRAINTS not in read:
        read[_CONSTRAINTS] = json.dumps([f"node=={pinned.name}"])
    return read


def _subnet_is_engines(body: Mapping[str, Any]) -> bool:
    ipam = {key.lower(): value for key, value in as_object(body.get("IPAM")).items()}
    if ipam.get("config") or body.get("Driver") in _SPANNING:
        return False
    return not any(body.get(key) for key in ("ConfigOnly", "ConfigFrom", "Ingress", "Scope"))
