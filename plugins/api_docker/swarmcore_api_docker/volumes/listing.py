"""Which volumes the cluster has, what they are called, and where a name is.  Pure.

A volume of local scope is its engine's: the same name on another engine is another volume.  One
whose driver spans engines is the same everywhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from swarmcore.config.references import without_node
from swarmcore.errors import NotFound
from swarmcore.filters import Filters
from swarmcore.node import Node, is_spanning
from swarmcore_api_docker.filters import (
    Compiler,
    Item,
    Test,
    by_label,
    by_name,
    by_node,
    list_items,
)


def holders(nodes: Sequence[Node], text: str) -> list[Node]:
    """The nodes that have the volume *text*, a name or ``node/name``; of the latter only that."""
    named = [node for node in nodes if text in node.volumes]
    return named or [
        node
        for node in nodes
        if (short := without_node(text, node)) != text and short in node.volumes
    ]


def find_volume(nodes: Sequence[Node], text: str) -> tuple[Node, str]:
    """The node to ask about the volume *text*, and its name there.

    Args:
        nodes: every registered one.
        text: a name, or ``node/name``.

    Raises:
        NotFound: none; or several different ones, which clients then create, and get the first.
    """
    found = holders(nodes, text)
    if not found:
        raise NotFound(f"get {text}: no such volume")
    alive = [node for node in found if node.health] or found
    spanning = [node for node in alive if is_spanning(volume_of(node, text))]
    if len(found) > 1 and not spanning:
        forms = " or ".join(f"{node.name}/{text}" for node in found)
        raise NotFound(f"get {text}: no such volume in the whole cluster, write {forms}")
    node = (spanning or alive)[0]
    return node, name_on(node, text)


def name_on(node: Node, text: str) -> str:
    """What *node* calls the volume *text*."""
    return text if text in node.volumes else without_node(text, node)


def volume_of(node: Node, text: str) -> Mapping[str, Any]:
    """The object of the volume *text* on *node*, which has it."""
    return node.volumes[name_on(node, text)]


async def list_volumes(
    nodes: Sequence[Node], filters: Filters, *, classic: bool = False
) -> list[dict[str, Any]]:
    """The objects of ``GET /volumes``.

    Names are the engines' own where they mean one volume, else ``node/name``.

    Args:
        nodes: every registered one; those that do not answer keep their names and are not shown.
        filters: the engine's, and ``node``.
        classic: see ``list_items``.

    Raises:
        BadRequest: an unknown filter, or a value that it cannot have.
    """
    spanning: dict[str, list[Node]] = {}
    local: list[tuple[str, list[Node]]] = []
    for node in nodes:
        for name, volume in node.volumes.items():
            if is_spanning(volume):
                spanning.setdefault(name, []).append(node)
            else:
                local.append((name, [node]))
    used = {node.id: _used(node) for node in nodes} if "dangling" in filters else {}
    everywhere = [node for node in nodes if node.ties.drivers]
    items = [_item(name, where, everywhere, used) for name, where in spanning.items()]
    items += [_item(name, where, where, used) for name, where in local]
    return await list_items(items, filters, _COMPILERS, classic=classic)


def _by_use(filters: Filters) -> Test:
    """Volumes that no container mounts."""
    wanted = filters.flag("dangling")
    return lambda item: (not item.used) is wanted


def _by_driver(filters: Filters) -> Test:
    wanted = filters.values("driver")
    return lambda item: not wanted or str(item.document.get("Driver")) in wanted


_COMPILERS: Mapping[str, Compiler] = {
    "dangling": _by_use,
    "driver": _by_driver,
    "label": by_label,
    "name": by_name,
    "node": by_node,
}


def _item(
    name: str, where: Sequence[Node], users: Sequence[Node], used: Mapping[str, set[str]]
) -> Item:
    is_used = any(name in used.get(node.id, ()) for node in users)
    return Item(where[0].volumes[name], tuple(where), used=is_used)


def _used(node: Node) -> set[str]:
    """Names of the volumes that containers of *node*, in any state, mount."""
    return {
        str(mount["Name"])
        for container in node.containers.values()
        for mount in container.summary.get("Mounts") or ()
        if mount.get("Name")
    }


def warn_of_silence(nodes: Sequence[Node]) -> list[str] | None:
    """``Warnings`` of the list: whose volumes it lacks."""
    silent = [node.name for node in nodes if not node.health]
    return [f"node {name} does not answer: its volumes are left out" for name in silent] or None
