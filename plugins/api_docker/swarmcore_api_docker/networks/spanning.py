"""Networks that span engines: find the engines that can make one, and that have containers on it.

An engine with a cluster store makes the network for all engines of that store, and the manager of a
swarm makes it for all members of that swarm.  Every other engine refuses.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarmcore.model import Container
from swarmcore.node import Node, is_swarm_manager
from swarmcore.protocols import Engine

_SWARM, _GLOBAL = "swarm", "global"


def able_makers(
    engines: Iterable[Engine], body: Mapping[str, Any], pinned: Node | None
) -> Sequence[Engine]:
    """Return the engines that answer and can make a network that spans engines.

    If some engines have a store and others are in a swarm, an attachable network belongs to the
    swarm, because engines of a store ignore ``Attachable``.  Any other network belongs to the
    store, because containers can be connected to a network of a swarm only if it is attachable.

    Args:
        engines: every engine.
        body: the body of the create.
        pinned: the node before the slash of the network's name; the network spans the store or the
            swarm of that node.

    Returns:
        The engines; empty if the network is of local scope or no engine can make it.
    """
    scope = str(body.get("Scope") or "")
    if scope not in (_SWARM, _GLOBAL) and (scope or body.get("Driver") != "overlay"):
        return ()
    able = [each for each in engines if each.node.health and shares_networks(each.node, pinned)]
    of_swarm = [each for each in able if is_swarm_manager(each.node.info)]
    of_store = [each for each in able if each.node.ties.store]
    if scope == _SWARM:
        return of_swarm
    if scope == _GLOBAL:
        return of_store
    return (of_swarm or of_store) if body.get("Attachable") else (of_store or of_swarm)


def shares_networks(node: Node, pinned: Node | None) -> bool:
    """Return whether *node* shares spanning networks with *pinned*; true if that is ``None``."""
    if pinned is None or node is pinned:
        return True
    ties, others = node.ties, pinned.ties
    return bool(ties.swarm & others.swarm or ties.store & others.store)


def nodes_with_endpoints(nodes: Iterable[Node], network_id: str) -> list[Node]:
    """Return the nodes with a running container on the network, even if they do not list it."""
    return [
        node
        for node in nodes
        if any(
            container.running and network_id in network_ids(container)
            for container in node.containers.values()
        )
    ]


def network_ids(container: Container) -> set[str]:
    """Return the ids of a container's networks."""
    return {id for _, id in container.facts.networks if id}
