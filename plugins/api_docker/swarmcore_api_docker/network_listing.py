"""Which networks the cluster has, what they are called, and which one a text means.  Pure.

A network of local scope belongs to one engine, and another engine's of the same name is another
network; one that spans engines has one id on all of them and is one network here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from swarmcore.config.network_labels import former_ids, without_own_labels
from swarmcore.config.references import without_node
from swarmcore.errors import BadRequest, NotFound
from swarmcore.filters import Filters
from swarmcore.messages import Answer, json_answer
from swarmcore.node import PREDEFINED_NETWORKS, Node, is_spanning, is_swarm_manager
from swarmcore_api_docker.go_numbers import BadValue
from swarmcore_api_docker.object_filters import (
    Compiler,
    Item,
    Test,
    by_field,
    by_label,
    by_name,
    by_node,
    list_items,
)

_Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Network:
    """One network, wherever it shows.

    Attributes:
        document: one engine's object of it; of a swarm's network a manager's, where one shows it.
        nodes: where it shows, in the order of the cluster.
    """

    document: _Document
    nodes: tuple[Node, ...]

    @property
    def id(self) -> str:
        """64 hex digits, or a swarm's short id."""
        return str(self.document["Id"])

    @property
    def name(self) -> str:
        """What its engines call it."""
        return str(self.document.get("Name") or "")

    @property
    def is_spanning(self) -> bool:
        """Whether containers of other engines may be on it."""
        return is_spanning(self.document)


def all_networks(nodes: Iterable[Node]) -> list[Network]:
    """The networks of *nodes*, each once."""
    found: dict[str, list[tuple[Node, _Document]]] = {}
    for node in nodes:
        for id, document in node.networks.items():
            found.setdefault(id, []).append((node, document))
    return [_merge(shown) for shown in found.values()]


def _merge(shown: Sequence[tuple[Node, _Document]]) -> Network:
    _, document = next((each for each in shown if is_swarm_manager(each[0].info)), shown[0])
    return Network(document, tuple(node for node, _ in shown))


def find_network(nodes: Sequence[Node], text: str) -> Network:
    """The network that *text* means: an id, a name, ``node/name``, the beginning of one id.

    ``bridge``, ``host`` and ``none`` are on every engine; their names mean the first one's that
    answers, for nobody wants an error there.

    Raises:
        NotFound: none; Docker's text.
        BadRequest: several.
    """
    networks = all_networks(nodes)
    for means in _MEANINGS:
        found = [network for network in networks if text and means(network, text)]
        if len(found) > 1 and text in PREDEFINED_NETWORKS:
            found = [network for network in found if network.nodes[0].health][:1] or found[:1]
        if len(found) > 1:
            raise _ambiguous(text, found)
        if found:
            return found[0]
    raise NotFound(f"network {text} not found")


def _on_a_node(network: Network, text: str) -> bool:
    named = (network.name, network.id)
    shorts = [without_node(text, node) for node in network.nodes]
    return any(short != text and short in named for short in shorts)


_MEANINGS: tuple[Callable[[Network, str], bool], ...] = (
    lambda network, text: network.id == text,
    lambda network, text: network.name == text,
    lambda network, text: text in former_ids(network.document),
    _on_a_node,
    lambda network, text: any(
        each.startswith(text) for each in (network.id, *former_ids(network.document))
    ),
)


def _ambiguous(text: str, found: Sequence[Network]) -> BadRequest:
    forms = sorted(f"{network.nodes[0].name}/{network.name}" for network in found)
    return BadRequest(
        f"network {text} is ambiguous ({len(found)} matches found): write {' or '.join(forms)}"
    )


def is_taken(nodes: Iterable[Node], name: str) -> bool:
    """Whether some engine has a network called *name*; of those that all have, they tell."""
    return name not in PREDEFINED_NETWORKS and any(
        network.get("Name") == name for node in nodes for network in node.networks.values()
    )


async def list_networks(
    nodes: Sequence[Node], filters: Filters, *, classic: bool = False
) -> list[dict[str, Any]]:
    """The objects of ``GET /networks``.

    Names are the engines' own where they mean one network, else ``node/name``.

    Args:
        nodes: every registered one; those that do not answer keep their names and are not shown.
        filters: the engine's, and ``node``.
        classic: see ``list_items``.

    Raises:
        BadRequest: an unknown filter, or a value that it cannot have.
        BadValue: the same where an engine answers 500.
    """
    used = set().union(*map(_used, nodes)) if "dangling" in filters else set()
    items = [
        Item(
            without_own_labels(network.document),
            network.nodes,
            used=network.id in used,
            builtin=network.name in PREDEFINED_NETWORKS,
            former_ids=former_ids(network.document),
        )
        for network in all_networks(nodes)
    ]
    return await list_items(items, filters, _COMPILERS, classic=classic)


def _used(node: Node) -> set[str]:
    """Ids of the networks that running containers of *node* are on."""
    found: set[str] = set()
    for container in node.containers.values():
        if container.running:
            settings = container.summary.get("NetworkSettings") or {}
            endpoints = (settings.get("Networks") or {}).values()
            found |= {str(endpoint.get("NetworkID")) for endpoint in endpoints if endpoint}
    return found


def made_network(id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A network as far as the request that made it tells, until its engine describes it.

    Args:
        id: that the engine gave it.
        body: of the request.
    """
    is_overlay = body.get("Driver") == "overlay"
    return {
        "Name": body.get("Name") or "",
        "Id": id,
        "Scope": body.get("Scope") or ("swarm" if is_overlay else "local"),
        "Driver": body.get("Driver") or "bridge",
        "EnableIPv6": bool(body.get("EnableIPv6")),
        "IPAM": body.get("IPAM") or {"Driver": "default", "Options": {}, "Config": []},
        "Internal": bool(body.get("Internal")),
        "Attachable": bool(body.get("Attachable")),
        "Ingress": bool(body.get("Ingress")),
        "ConfigFrom": body.get("ConfigFrom") or {"Network": ""},
        "ConfigOnly": bool(body.get("ConfigOnly")),
        "Containers": {},
        "Options": body.get("Options") or {},
        "Labels": body.get("Labels") or {},
    }


def merge_inspections(documents: Sequence[_Document]) -> dict[str, Any]:
    """What several engines say of one network: the first's word, everybody's containers and peers.

    An engine of a cluster store shows the containers of others too, as ``ep-`` and the endpoint's
    id; their own engines know what they are called.
    """
    merged = dict(without_own_labels(documents[0]))
    merged["Containers"] = _merge_endpoints(documents)
    for key in ("Peers", "Services"):
        told = [document[key] for document in documents if document.get(key)]
        if told:
            merged[key] = _merge_told(told)
    return merged


def _merge_endpoints(documents: Sequence[_Document]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for document in documents:
        endpoints = document.get("Containers") or {}
        # The last container has left that engine, which will take its own endpoint away.
        if not all(id.startswith(_BALANCER) for id in endpoints):
            found = {**endpoints, **found}
    named = {_endpoint_id(endpoint) for id, endpoint in found.items() if not _is_remote(id)}
    return {
        id: endpoint
        for id, endpoint in found.items()
        if not _is_remote(id) or _endpoint_id(endpoint) not in named
    }


#: What the endpoint of an engine of a swarm is called, by which services are balanced.
_BALANCER = "lb-"


def _is_remote(id: str) -> bool:
    return id.startswith("ep-")


def _endpoint_id(endpoint: Any) -> str:
    return str(endpoint.get("EndpointID")) if isinstance(endpoint, Mapping) else ""


def _merge_told(told: Sequence[Any]) -> Any:
    """Lists of objects without repetitions, or objects by key; the first's kind is theirs."""
    if isinstance(told[0], Mapping):
        return {key: each[key] for each in reversed(told) for key in each}
    kept: list[Any] = []
    for each in chain.from_iterable(told):
        if each not in kept:
            kept.append(each)
    return kept


def show_network(answer: Answer) -> Answer:
    """An inspected network as clients see it."""
    return json_answer(without_own_labels(answer.json()), answer.status)


def _by_id(filters: Filters) -> Test:
    found = filters.matching("id")
    return lambda item: any(map(found, (str(item.document.get("Id")), *item.former_ids)))


def _by_type(filters: Filters) -> Test:
    """Without a value, nothing: as in an engine."""
    wanted = filters.values("type")
    for value in wanted:
        if value not in ("builtin", "custom"):
            raise BadValue(f"invalid filter: 'type'='{value}'")
    return lambda item: ("builtin" if item.builtin else "custom") in wanted


def _by_use(filters: Filters) -> Test:
    """Networks that no container is on; an engine's list takes all that can be removed for such."""
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
