"""Find the networks of the cluster, and the network that a name or id means.

A network of local scope belongs to one engine: a network of the same name on another engine is a
different network.  A network that spans engines has the same id on all of them, and counts as one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarmcore.container_config.references import former_ids, without_node
from swarmcore.errors import BadRequest, NotFound
from swarmcore.node import PREDEFINED_NETWORKS, Node, is_spanning, is_swarm_manager
from swarmcore.protocols import Engine, Exchange
from swarmcore_api_docker.colocation import answering_engine

_Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Network:
    """One network.

    Attributes:
        document: the network's JSON object from one engine, preferably a swarm manager.
        nodes: the nodes that list it, in the order of the cluster.
    """

    document: _Document
    nodes: tuple[Node, ...]

    @property
    def id(self) -> str:
        """The id: 64 hex digits, or 25 characters for a network of a swarm."""
        return str(self.document["Id"])

    @property
    def name(self) -> str:
        """The name on its engines."""
        return str(self.document.get("Name") or "")

    @property
    def is_spanning(self) -> bool:
        """Whether containers of several engines can be connected to it."""
        return is_spanning(self.document)


def all_networks(nodes: Iterable[Node]) -> list[Network]:
    """Return the networks of *nodes*, each network once."""
    found: dict[str, list[tuple[Node, _Document]]] = {}
    for node in nodes:
        for id, document in node.networks.items():
            found.setdefault(id, []).append((node, document))
    return [_merge(shown) for shown in found.values()]


def _merge(shown: Sequence[tuple[Node, _Document]]) -> Network:
    _, document = next((each for each in shown if is_swarm_manager(each[0].info)), shown[0])
    return Network(document, tuple(node for node, _ in shown))


def find_network(nodes: Sequence[Node], text: str) -> Network:
    """Find the network that *text* means: an id, a name, ``node/name``, or the beginning of an id.

    The names ``bridge``, ``host`` and ``none`` are not ambiguous, although every engine has these
    networks: they mean the network of the first engine that answers.

    Args:
        nodes: the nodes whose networks are searched.
        text: as the client wrote it.

    Raises:
        NotFound: there is no such network; the text is Docker's.
        BadRequest: there are several.
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
    """Return whether some node has a network called *name*; engines refuse predefined names."""
    return name not in PREDEFINED_NETWORKS and any(
        network.get("Name") == name for node in nodes for network in node.networks.values()
    )


def named_network(exchange: Exchange) -> Network:
    """Find the network in the path of the request; raises the errors of ``find_network``."""
    nodes = [engine.node for engine in exchange.cluster.engines()]
    return find_network(nodes, exchange.request.params["id"])


def network_engines(exchange: Exchange, network: Network) -> list[Engine]:
    """Return the engines that list *network* and answer, swarm managers first.

    Raises:
        Unavailable: none of them answers.
    """
    alive = [node for node in network.nodes if node.health] or list(network.nodes)
    alive.sort(key=lambda node: not is_swarm_manager(node.info))
    what = f"network {network.name}"
    return [answering_engine(exchange.cluster, node, what) for node in alive]
