"""Where a new network or volume goes: what a client wrote, else what belongs together, else the
scheduler's choice.

An object of local scope binds every container that uses it, so those of one compose project go to
one node as long as that takes them: a service can then use all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from swarmcore.config import ContainerConfig, Need
from swarmcore.config.references import without_node
from swarmcore.errors import BadRequest, NoNodeFits, Unavailable
from swarmcore.node import Node
from swarmcore.protocols import Cluster, Engine

_PROJECT = "com.docker.compose.project"


def split_node(nodes: Sequence[Node], text: str) -> tuple[Node | None, str]:
    """The node and the name in ``node/name``; no node where *text* is a name alone.

    Raises:
        BadRequest: what stands before the slash is no node.
    """
    for node in nodes:
        if (short := without_node(text, node)) != text:
            return node, short
    if "/" in text:
        raise BadRequest(f"no node is called {text.partition('/')[0]}: write node/name, or a name")
    return None, text


def answering_engine(cluster: Cluster, node: Node, what: str) -> Engine:
    """The engine of *node*.

    Args:
        cluster: whose node it is.
        node: which.
        what: is there, for the error: ``volume data``.

    Raises:
        Unavailable: it does not answer at the moment.
    """
    if not node.health:
        raise Unavailable(f"{what} is on node {node.name}, which does not answer")
    return cluster.engine(node.id)


def choose_engine(cluster: Cluster, labels: Any, needs: Sequence[Need] = ()) -> Engine:
    """The engine for a new object that may go anywhere.

    Args:
        cluster: chooses.
        labels: the object's, as the client sent them; constraints among them hold.
        needs: what its engine must know.

    Raises:
        NoNodeFits: and why.
        BadRequest: labels that are none, or a malformed constraint.
    """
    config = replace(ContainerConfig.parse({"Labels": labels or {}}), needs=tuple(needs))
    project = config.labels.get(_PROJECT)
    if project:
        together = [engine for engine in cluster.engines() if _has_part_of(engine.node, project)]
        try:
            return cluster.choose(config, together)
        except NoNodeFits:
            pass
    return cluster.choose(config)


def _has_part_of(node: Node, project: str) -> bool:
    objects = (*node.networks.values(), *node.volumes.values())
    return project in node.container_label_values(_PROJECT) or any(
        _label(document) == project for document in objects
    )


def _label(document: Mapping[str, Any]) -> Any:
    return (document.get("Labels") or {}).get(_PROJECT)
