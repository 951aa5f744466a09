"""``GET /volumes``: the volumes of all engines that answer, from the caches."""

from collections.abc import Mapping, Sequence
from typing import Any

from swarmcore.errors import BadRequest
from swarmcore.list_filters import Filters, parse_filters
from swarmcore.node import Node, is_spanning
from swarmcore.printable import printable
from swarmcore.protocols import Exchange, Route
from swarmcore_api_docker.filters import (
    Compiler,
    ListedObject,
    Test,
    by_label,
    by_name,
    by_node,
    list_objects,
)
from swarmcore_api_docker.route_notes import CACHES, LISTED

_REWRITES = f"{LISTED}; Warnings name silent nodes"


def routes(*, classic: bool) -> list[Route]:
    """Return the route of the volume list.

    Args:
        classic: see ``list_objects``.
    """

    async def show(exchange: Exchange) -> None:
        await show_list(exchange, classic=classic)

    return [Route("GET", "/volumes", show, routed=CACHES, rewrites=_REWRITES)]


async def show_list(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /volumes``; ``Warnings`` name the nodes that do not answer."""
    nodes = [engine.node for engine in exchange.cluster.engines()]
    text = exchange.request.query.get("filters")
    try:
        filters = parse_filters(text)
    except BadRequest as error:
        raise BadRequest(f"error reading volume filters: {error}") from None
    volumes = await list_volumes(nodes, filters, classic=classic)
    await exchange.send_json({"Volumes": volumes, "Warnings": silent_node_warnings(nodes)})


async def list_volumes(
    nodes: Sequence[Node], filters: Filters, *, classic: bool = False
) -> list[dict[str, Any]]:
    """Return the objects of ``GET /volumes``; ambiguous names become ``node/name``.

    Args:
        nodes: every registered node.  Volumes of nodes that do not answer are not listed, but can
            make names ambiguous.
        filters: the client's filters.
        classic: see ``list_objects``.

    Raises:
        BadRequest: an unknown filter, or one with an invalid value.
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
    return await list_objects(items, filters, _COMPILERS, classic=classic)


def _by_use(filters: Filters) -> Test:
    """Compile the filter ``dangling``: volumes that no container mounts."""
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
) -> ListedObject:
    is_used = any(name in used.get(node.id, ()) for node in users)
    return ListedObject(where[0].volumes[name], tuple(where), used=is_used)


def _used(node: Node) -> set[str]:
    """Return the names of the volumes that containers of *node*, in any state, mount."""
    return {
        name
        for container in node.containers.values()
        for kind, name in container.facts.things
        if kind == "volume"
    }


def silent_node_warnings(nodes: Sequence[Node]) -> list[str] | None:
    """Return ``Warnings`` of the list: the nodes whose volumes are missing from it."""
    silent = [printable(node.name) for node in nodes if not node.health]
    return [f"node {name} does not answer: its volumes are left out" for name in silent] or None
