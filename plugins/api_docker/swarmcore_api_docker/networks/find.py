"""Which networks the cluster has, and which one a text means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarmcore.config.network_labels import former_ids
from swarmcore.config.references import without_node
from swarmcore.errors import BadRequest, NotFound
from swarmcore.node import PREDEFINED_NETWORKS, Node, is_spanning, is_swarm_manager
from swarmcore.protocols import Engine, Exchange
from swarmcore_api_docker.colocation import answering_engine

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


# ---- reading


def named_network(exchange: Exchange) -> Network:
    nodes = [engine.node for engine in exchange.cluster.engines()]
    return find_network(nodes, exchange.request.params["id"])


def network_engines(exchange: Exchange, network: Network) -> list[Engine]:
    """The engines that list *network* and answer, swarm managers first.

    Raises:
        Unavailable: there are none.
    """
    alive = [node for node in network.nodes if node.health] or list(network.nodes)
    alive.sort(key=lambda node: not is_swarm_manager(node.info))
    what = f"network {network.name}"
    return [answering_engine(exchange.cluster, node, what) for node in alive]
