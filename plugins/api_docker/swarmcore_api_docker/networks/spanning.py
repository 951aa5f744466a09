"""Networks that span engines: which engines may make one, and which have containers on it.

An engine of a cluster store makes one for all engines of that store, the manager of a swarm for
all members of that swarm; every other engine refuses to.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swarmcore.model import Container
from swarmcore.node import Node, is_swarm_manager
from swarmcore.protocols import Engine

_SWARM, _GLOBAL = "swarm", "global"


def makers(
    engines: Iterable[Engine], body: Mapping[str, Any], pinned: Node | None
) -> Sequence[Engine]:
    """The engines that answer and can make the network of *body*, where it is to span engines.

    In a fleet with a store and a swarm an attachable network is the swarm's, as engines of a store
    ignore that word, and any other the store's, as no container may be put on the swarm's.

    Args:
        engines: every one.
        body: of the create.
        pinned: the node before the slash of its name: the network spans what that node is part of.

    Returns:
        None where the network is of local scope, or nobody can make it.
    """
    scope = str(body.get("Scope") or "")
    if scope not in (_SWARM, _GLOBAL) and (scope or body.get("Driver") != "overlay"):
        return ()
    able = [each for each in engines if each.node.health and shares(each.node, pinned)]
    of_swarm = [each for each in able if is_swarm_manager(each.node.info)]
    of_store = [each for each in able if each.node.ties.store]
    if scope == _SWARM:
        return of_swarm
    if scope == _GLOBAL:
        return of_store
    return (of_swarm or of_store) if body.get("Attachable") else (of_store or of_swarm)


def shares(node: Node, pinned: Node | None) -> bool:
    """Whether *node* reaches the spanning networks of *pinned*; every node where that is None."""
    if pinned is None or node is pinned:
        return True
    ties, others = node.ties, pinned.ties
    return bool(ties.swarm & others.swarm or ties.store & others.store)


def endpoint_holders(nodes: Iterable[Node], network_id: str) -> list[Node]:
    """The nodes of which a running container is on the network, whether they list it or not."""
    return [node for node in nodes if any(_is_on(each, network_id) for each in _running(node))]


def _running(node: Node) -> Iterable[Container]:
    return (container for container in node.containers.values() if container.running)


def _is_on(container: Container, network_id: str) -> bool:
    settings = container.summary.get("NetworkSettings") or {}
    endpoints = (settings.get("Networks") or {}).values()
    return any(each.get("NetworkID") == network_id for each in endpoints if each)
