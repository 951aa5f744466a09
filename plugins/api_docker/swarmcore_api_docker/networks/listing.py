"""``GET /networks``: the networks of all engines that answer, from the caches."""

from collections.abc import Mapping, Sequence
from typing import Any

from swarmcore.container_config.references import former_ids, without_own_labels
from swarmcore.errors import BadRequest
from swarmcore.go_formats import BadValue
from swarmcore.list_filters import Filters, parse_filters
from swarmcore.node import PREDEFINED_NETWORKS, Node
from swarmcore.protocols import Exchange, Route
from swarmcore_api_docker.filters import (
    Compiler,
    ListedObject,
    Test,
    by_field,
    by_label,
    by_name,
    by_node,
    list_objects,
)
from swarmcore_api_docker.networks.find import all_networks
from swarmcore_api_docker.networks.spanning import network_ids
from swarmcore_api_docker.route_notes import CACHES, LISTED


def routes(*, classic: bool) -> list[Route]:
    """Return the route of the network list.

    Args:
        classic: see ``list_objects``.
    """

    async def show(exchange: Exchange) -> None:
        await show_list(exchange, classic=classic)

    return [Route("GET", "/networks", show, routed=CACHES, rewrites=LISTED)]


async def show_list(exchange: Exchange, *, classic: bool = False) -> None:
    """``GET /networks``."""
    nodes = [engine.node for engine in exchange.cluster.engines()]
    filters = parse_filters(exchange.request.query.get("filters"))
    await exchange.send_json(await list_networks(nodes, filters, classic=classic))


async def list_networks(
    nodes: Sequence[Node], filters: Filters, *, classic: bool = False
) -> list[dict[str, Any]]:
    """Return the objects of ``GET /networks``; ambiguous names become ``node/name``.

    Args:
        nodes: every registered node.  Networks of nodes that do not answer are not listed, but can
            make names ambiguous.
        filters: the client's filters.
        classic: see ``list_objects``.

    Raises:
        BadRequest: an unknown filter, or one with an invalid value.
        BadValue: an invalid value for which an engine answers 500.
    """
    used = set().union(*map(_used, nodes)) if "dangling" in filters else set()
    items = [
        ListedObject(
            without_own_labels(network.document),
            network.nodes,
            used=network.id in used,
            builtin=network.name in PREDEFINED_NETWORKS,
            former_ids=former_ids(network.document),
        )
        for network in all_networks(nodes)
    ]
    return await list_objects(items, filters, _COMPILERS, classic=classic)


def _used(node: Node) -> set[str]:
    """Return the ids of the networks of the running containers on *node*."""
    running = (container for container in node.containers.values() if container.running)
    return set().union(*map(network_ids, running))


def _by_id(filters: Filters) -> Test:
    found = filters.matching("id")
    return lambda item: any(map(found, (str(item.document.get("Id")), *item.former_ids)))


def _by_type(filters: Filters) -> Test:
    """Compile the filter ``type``; as in an engine, no network passes it without a value."""
    wanted = filters.values("type")
    for value in wanted:
        if value not in ("builtin", "custom"):
            raise BadValue(f"invalid filter: 'type'='{value}'")
    return lambda item: ("builtin" if item.builtin else "custom") in wanted


def _by_use(filters: Filters) -> Test:
    """Compile the filter ``dangling``: networks that no container uses and that are not builtin."""
    values = filters.values("dangling")
    if len(values) > 1:
        raise BadRequest('got more than one value for filter key "dangling"')
    for value in values:
        if value not in ("true", "1", "false", "0"):
            raise BadRequest(
                'invalid value for filter \'dangling\', must be "true" (or "1"), or'
                ' "false" (or "0")'
            )
    wanted = [value in ("true", "1") for value in values] or [True, False]
    return lambda item: (not item.used and not item.builtin) in wanted


_COMPILERS: Mapping[str, Compiler] = {
    "dangling": _by_use,
    "driver": by_field("driver", "Driver"),
    "id": _by_id,
    "label": by_label,
    "name": by_name,
    "node": by_node,
    "scope": by_field("scope", "Scope"),
    "type": _by_type,
}
