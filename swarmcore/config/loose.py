"""Which networks and volumes that a create names are loose: see ``node.belongings``.  Pure."""

from collections.abc import Iterator, Mapping, Sequence

from swarmcore.config.references import find_network, has_network, without_node
from swarmcore.node import Node, Thing


def find_loose(
    volumes: Sequence[str], networks: Sequence[str], nodes: Sequence[Node]
) -> Mapping[Thing, Node]:
    """What may be made anew on the node of a container.

    Args:
        volumes: as the create names them.
        networks: the same.
        nodes: those whose objects are known.

    Returns:
        Kind and the create's word for it -> the only node that has it, which answers.
    """
    found: dict[Thing, Node] = {}
    for name in volumes:
        node = _only([each for each in nodes if each.has_volume(name)])
        if node is not None and node.belongings.is_loose_volume(name):
            found["volume", name] = node
    for text in networks:
        if any(without_node(text, each) != text for each in nodes):
            continue
        node = _only([each for each in nodes if has_network(each, text)])
        network = find_network(node, text) if node is not None else None
        if node is not None and network is not None and node.belongings.is_loose_network(network):
            found["network", text] = node
    return found


def _only(nodes: Sequence[Node]) -> Node | None:
    return nodes[0] if len(nodes) == 1 and nodes[0].health > 0 else None


def leaving_for(
    node: Node, volumes: Sequence[str], networks: Sequence[str], nodes: Sequence[Node]
) -> Iterator[tuple[Node, Thing]]:
    """What leaves which node when a container with these is placed on *node*."""
    for other in nodes:
        if other is node:
            continue
        for name in volumes:
            volume: Thing = ("volume", name)
            if other.belongings.is_leaving(volume) or other.belongings.is_loose_volume(name):
                yield other, volume
        for text in networks:
            found = find_network(other, text)
            if found is None:
                continue
            network: Thing = ("network", str(found.get("Name")))
            if other.belongings.is_leaving(network) or other.belongings.is_loose_network(found):
                yield other, network
