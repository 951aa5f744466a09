"""Find the volume that a name means, and its nodes.  Pure.

A volume of local scope belongs to one engine: a volume of the same name on another engine is a
different volume.  A volume whose driver spans engines is the same on all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from swarmcore.container_config.references import without_node
from swarmcore.errors import NotFound
from swarmcore.node import Node, is_spanning


def nodes_with_volume(nodes: Sequence[Node], text: str) -> list[Node]:
    """Return the nodes that have the volume *text*: a name, or ``node/name`` for one node."""
    named = [node for node in nodes if text in node.volumes]
    return named or [
        node
        for node in nodes
        if (short := without_node(text, node)) != text and short in node.volumes
    ]


def find_volume(nodes: Sequence[Node], text: str) -> tuple[Node, str]:
    """Find the node to ask about the volume *text*, and the volume's name there.

    Args:
        nodes: every registered node.
        text: a name, or ``node/name``.

    Raises:
        NotFound: there is no such volume, or there are several.  In both cases clients create it
            next, and a create of an existing name returns the first one.
    """
    found = nodes_with_volume(nodes, text)
    if not found:
        raise NotFound(f"get {text}: no such volume")
    alive = [node for node in found if node.health] or found
    spanning = [node for node in alive if is_spanning(volume_on_node(node, text))]
    if len(found) > 1 and not spanning:
        forms = " or ".join(f"{node.name}/{text}" for node in found)
        raise NotFound(f"get {text}: no such volume in the whole cluster, write {forms}")
    node = (spanning or alive)[0]
    return node, name_on_node(node, text)


def name_on_node(node: Node, text: str) -> str:
    """Return the name of the volume *text* on *node*."""
    return text if text in node.volumes else without_node(text, node)


def volume_on_node(node: Node, text: str) -> Mapping[str, Any]:
    """Return the JSON object of the volume *text* on *node*, which must have it."""
    return node.volumes[name_on_node(node, text)]
