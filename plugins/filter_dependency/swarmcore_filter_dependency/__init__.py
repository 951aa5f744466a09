"""Selects nodes with the objects that a create refers to: ``--filter dependency``."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from swarmcore import hookimpl
from swarmcore.container_config.references import find_container, has_network, without_node
from swarmcore.images import has_image
from swarmcore.node import is_swarm_manager
from swarmcore.protocols import ContainerConfig, Node, Refused, Rule

#: How many nodes that have the object a refusal names; others are counted.
_NAMED = 3


@hookimpl
def swarmcore_filter() -> "DependencyFilter":
    return DependencyFilter()


class DependencyFilter:
    """Refuses nodes that lack objects that the container refers to.

    These are containers whose volumes, links or namespaces it uses; user-defined networks; and
    existing volumes, as another engine would create an empty volume of that name.  Creates under
    way count as containers.

    Unused networks and volumes refuse no node, as they follow the container.  An object that exists
    nowhere refuses no node either: any engine then reports the error as in its release; for a
    network, preferably an engine whose swarm may have it.  Mounted images and plugins for new
    volumes are soft, as an engine without them reports that itself.
    """

    name = "dependency"

    def rules(self, config: ContainerConfig) -> Iterator[Rule]:
        """One rule for each object; none for a container without references."""
        for text in dict.fromkeys((*config.volumes_from, *config.links, *config.joined)):
            if _may_exist(config, text, _has_container):
                yield _Needed("container", text, _has_container, config).rule()
        for text in config.networks:
            if ("network", text) in config.loose:
                continue
            if _may_exist(config, text, has_network):
                yield _Needed("network", text, has_network, config).rule()
            elif swarms := _unmanaged_swarms(config.known_nodes):
                is_member = partial(_is_member, swarms)
                yield _Needed("network", text, is_member, config).rule(soft=True)
        for text in config.volumes:
            plugin = config.volume_plugins.get(text)
            if text in config.held_volumes:
                yield _Needed("volume", text, _has_volume, config).rule()
            elif "/" in text and not (plugin and text in config.slashed_volumes):
                yield _Needed("volume", text, _is_of_node, config).rule()
            elif plugin:
                yield _Needed("volume plugin", plugin, _has_plugin, config).rule(soft=True)
        for text in config.mounted_images:
            yield _Needed("mounted image", text, has_image, config).rule(soft=True)


class _Needed:
    """One object, and which nodes have it.

    Args:
        kind: container, network, volume, volume plugin or mounted image.
        text: as the client wrote it.
        is_on: whether a node has it.
        config: has the nodes, if all are known.
    """

    def __init__(
        self, kind: str, text: str, is_on: Callable[[Node, str], bool], config: ContainerConfig
    ) -> None:
        self._kind, self._text, self._is_on = kind, text, is_on
        self._nodes = config.known_nodes
        self._holders: dict[str, None] = {}

    def rule(self, *, soft: bool = False) -> Rule:
        """The rule for one create."""
        return Rule(f"{self._kind} {self._text}", self._check, soft=soft, summarise=self._summarise)

    def _check(self, node: Node) -> str | None:
        if self._is_on(node, self._text):
            self._holders[node.name] = None
            return None
        return "is not there"

    def _summarise(self, text: str, refused: Refused) -> str:
        """``network web is only on n1``; names nodes even if another rule refuses them."""
        known = (node.name for node in self._nodes if self._is_on(node, self._text))
        names = sorted({*self._holders, *known})
        if not names:
            return f"{text} is not there"
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"{text} is only on {', '.join(names[:_NAMED])}{more}"


def _may_exist(config: ContainerConfig, text: str, is_on: Callable[[Node, str], bool]) -> bool:
    """Whether a node has the object, or may have it because it has not been read."""
    nodes = config.known_nodes
    return not nodes or any(is_on(node, text) for node in nodes)


def _unmanaged_swarms(nodes: Sequence[Node]) -> frozenset[str]:
    """The ties of swarms without a manager among *nodes*.  A worker lists a network only while it
    has one of its containers, so the networks of these swarms are unknown."""
    members = [node for node in nodes if node.ties.swarm]
    managed = [node.ties.swarm for node in members if is_swarm_manager(node.info)]
    return frozenset[str]().union(*(node.ties.swarm for node in members)).difference(*managed)


def _is_member(swarms: frozenset[str], node: Node, text: str) -> bool:
    return not swarms.isdisjoint(node.ties.swarm)


def _has_container(node: Node, text: str) -> bool:
    return find_container(node, text) is not None or (
        without_node(text, node) in node.container_words
    )


def _has_volume(node: Node, text: str) -> bool:
    return node.has_volume(text)


def _has_plugin(node: Node, text: str) -> bool:
    return text in node.ties.drivers


def _is_of_node(node: Node, text: str) -> bool:
    """Whether *text* has the form ``node/name`` for this node, whether the volume exists or not."""
    return without_node(text, node) != text
