"""References of a create body to other objects, and what they refer to on one node.

A reference is a name, an id, an id prefix or a swarm id, each optionally preceded by ``node/``.
This module finds and resolves references; ``engine_body`` converts them for an engine.

A network that is moved to another node gets a new id there.  Its former ids are kept in a label
that is hidden from clients, so that they still lead to the network after a restart of the manager.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from swarmcore.json_values import as_object, as_objects, as_text, as_texts
from swarmcore.model import Container
from swarmcore.node import PREDEFINED_NETWORKS, ListingNode, Node, Thing, can_be_recreated

#: Length of a full id.
_ID = 64
_NO_NETWORK_NAMES = PREDEFINED_NETWORKS | {"", "default", "nat"}
#: Fields whose value ``container:db`` joins a namespace of another container.
_JOINABLE = ("NetworkMode", "IpcMode", "PidMode")
#: The source of a bind that is a path, not a volume: Unix, relative, or Windows.
_PATH = re.compile(r"[/~.\\]|[a-zA-Z]:[/\\]")


def joined_containers(host_config: Mapping[str, Any]) -> tuple[str, ...]:
    """Containers whose network, IPC or PID namespace is joined.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    texts = (host_config.get(key) for key in _JOINABLE)
    split = (text.partition(":") for text in texts if isinstance(text, str))
    return _once(name for kind, _, name in split if kind == "container" and name)


def named_networks(host_config: Mapping[str, Any], networking: Any) -> tuple[str, ...]:
    """User-defined networks that the container is created with.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
        networking: ``NetworkingConfig``; may be malformed.
    """
    mode = as_text(host_config.get("NetworkMode"))
    named = [
        *(() if mode.startswith("container:") else (mode,)),
        *as_object(as_object(networking).get("EndpointsConfig")),
    ]
    return _once(name for name in named if name not in _NO_NETWORK_NAMES)


def named_volumes(host_config: Mapping[str, Any]) -> tuple[str, ...]:
    """Volumes that are mounted by name.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    mounted = _mounted(host_config.get("Mounts"), "volume")
    return _once((*_bound_volumes(host_config.get("Binds")), *mounted))


def volume_plugins(host_config: Mapping[str, Any]) -> dict[str, str]:
    """Volumes that are mounted by name -> the plugin that creates them if they do not exist.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    named = dict.fromkeys(_bound_volumes(host_config.get("Binds")), host_config.get("VolumeDriver"))
    for mount in as_objects(host_config.get("Mounts")):
        for source in _mounted([mount], "volume"):
            driver = as_object(as_object(mount.get("VolumeOptions")).get("DriverConfig"))
            named[source] = driver.get("Name")
    return {
        name: driver
        for name, driver in named.items()
        if isinstance(driver, str) and driver not in ("", "local")
    }


def mounted_images(host_config: Mapping[str, Any]) -> tuple[str, ...]:
    """Images that are mounted, as the client names them.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    return _once(_mounted(host_config.get("Mounts"), "image"))


def _bound_volumes(binds: Any) -> Iterator[str]:
    for bind in as_texts(binds):
        if ":" in bind and not _PATH.match(bind):
            yield bind.partition(":")[0]


def _mounted(mounts: Any, kind: str) -> Iterator[str]:
    for mount in as_objects(mounts):
        if mount.get("Type") == kind:
            source = mount.get("Source")
            if isinstance(source, str):
                yield source


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


# ---- resolving references on one node


def without_node(text: str, node: ListingNode) -> str:
    """*text* without a leading ``node/`` that names *node*."""
    for word in (node.name, node.id):
        if word and text.startswith(f"{word}/"):
            return text[len(word) + 1 :]
    return text


def find_container(node: Node, text: str) -> Container | None:
    """The container of *node* that *text* refers to; same order as ``NameIndex.find``."""
    text = without_node(text.removeprefix("/"), node)
    if not text or text in node.containers:
        return node.containers.get(text)
    containers = node.containers.values()
    if text in node.container_words:
        named = [each for each in containers if text in (each.swarm_id, *each.names)]
        short = [each for each in containers if text in (each.id[:12], each.swarm_id[:12])]
        found = named or short
        return found[0] if found else None
    begun = [each for each in containers if each.id.startswith(text)]
    begun += [each for each in containers if each.swarm_id.startswith(text) and each not in begun]
    return begun[0] if len(begun) == 1 else None


def find_network(node: Node, text: str) -> Mapping[str, Any] | None:
    """The network that *text* refers to on *node*: by id, name or unique id prefix.

    ``node/name`` may name any node that lists a spanning network.  A network that was moved is also
    found by its former ids.
    """
    own = without_node(text, node)
    if not own or own in node.networks:
        return node.networks.get(own)
    for network in node.networks.values():
        if network.get("Name") == own:
            return network
    found = node.spanning.find_network(node, own)
    if found is not None:
        return found
    reached = {id: listed.document for id, listed in node.spanning.networks_of(node)}
    known = {**reached, **node.networks}
    begun = [
        network
        for id, network in known.items()
        if any(each.startswith(own) for each in (id, *former_ids(network)))
    ]
    return begun[0] if len(begun) == 1 else _find_on_another(node, own)


def _find_on_another(node: Node, text: str) -> Mapping[str, Any] | None:
    """The spanning network that *text* refers to by another node's name, if *node* can use it."""
    if "/" not in text:
        return None
    for id, listed in node.spanning.networks_of(node):
        for other, document in listed.documents.items():
            if without_node(text, other) in (id, document.get("Name")):
                return document
    return None


def network_for(text: str, node: Node) -> str:
    """Convert a network reference for *node*'s engine.

    An engine does not know other nodes, and does not resolve id prefixes of swarm networks.
    """
    own = without_node(text, node)
    network = find_network(node, text)
    if network is None:
        return own
    id, name = str(network["Id"]), str(network.get("Name"))
    completes = id in node.networks and network.get("Scope") != "swarm"
    if own in (id, name) or (completes and id.startswith(own)):
        return own
    return name if own.endswith(f"/{name}") else id


def network_words(container: Container) -> tuple[str, ...]:
    """Names and ids of user-defined networks that *container* was created with or is on."""
    words = (word for kind, word in container.facts.things if kind == "network")
    return _once(word for word in sorted(words) if word not in _NO_NETWORK_NAMES)


def has_network(node: Node, text: str) -> bool:
    """Whether *node* has the network *text* and it is not being moved away, or will have it."""
    found = find_network(node, text)
    if found is not None and not node.objects.is_leaving(("network", str(found.get("Name")))):
        return True
    text = without_node(text, node)
    words = (word for each in node.reservations.values() for word in each.networks)
    return any(word == text or (len(word) == _ID and word.startswith(text)) for word in words)


# ---- labels that the manager adds to networks


#: The ids that a network had on other nodes, oldest first, separated by commas.
FORMER_IDS: Final = "com.docker.swarm.network.former-ids"
#: ``engine`` if the client gave no subnet, so that the engine chose one.
SUBNET_BY: Final = "com.docker.swarm.network.subnet-by"
BY_ENGINE: Final = "engine"
_OWN = frozenset({FORMER_IDS, SUBNET_BY})

_Document = Mapping[str, Any]


def former_ids(network: _Document) -> tuple[str, ...]:
    """The ids that *network* had on other nodes before it was moved."""
    ids = as_object(network.get("Labels")).get(FORMER_IDS)
    return tuple(filter(None, ids.split(","))) if isinstance(ids, str) else ()


def has_subnet_of_engine(network: _Document) -> bool:
    """Whether the subnet of *network* is known to have been chosen by its engine."""
    return as_object(network.get("Labels")).get(SUBNET_BY) == BY_ENGINE


def has_own_labels(network: _Document) -> bool:
    """Whether *network* has labels that are hidden from clients."""
    return not _OWN.isdisjoint(as_object(network.get("Labels")))


def without_own_labels(network: _Document) -> _Document:
    """*network* without the labels that are hidden from clients."""
    if not has_own_labels(network):
        return network
    labels = {key: value for key, value in network["Labels"].items() if key not in _OWN}
    return {**network, "Labels": labels}


# ---- unused networks and volumes


def find_loose(
    volumes: Sequence[str], networks: Sequence[str], nodes: Sequence[Node]
) -> Mapping[Thing, Node]:
    """The networks and volumes that are loose: they may be moved to the container's node.

    Args:
        volumes: volume names, as the create refers to them.
        networks: network references, as in the create.
        nodes: the nodes whose objects are known.

    Returns:
        Kind and reference -> the node, which is the only one that has the object, and healthy.
    """
    found: dict[Thing, Node] = {}
    for name in volumes:
        node = _only([each for each in nodes if each.has_volume(name)])
        if node is not None and node.objects.is_loose_volume(name):
            found["volume", name] = node
    for text in networks:
        if any(without_node(text, each) != text for each in nodes):
            continue
        node = _only([each for each in nodes if has_network(each, text)])
        network = find_network(node, text) if node is not None else None
        if node is not None and network is not None and node.objects.is_loose_network(network):
            found["network", text] = node
    return found


def find_left_networks(
    networks: Sequence[str], left: Node, others: Sequence[Node]
) -> Mapping[Thing, Node]:
    """The networks of a lost node that have to be created again for a container that is moved.

    Args:
        networks: network references of the container.
        left: the lost node.
        others: all other nodes; one that has the network, or will have it, must take the container.

    Returns:
        Kind and reference -> the lost node.
    """
    return {
        ("network", text): left
        for text in networks
        if (network := find_network(left, text)) is not None
        and can_be_recreated(network)
        and not any(has_network(other, text) for other in others)
    }


def _only(nodes: Sequence[Node]) -> Node | None:
    return nodes[0] if len(nodes) == 1 and nodes[0].health > 0 else None


def leaving_for(
    node: Node, volumes: Sequence[str], networks: Sequence[str], nodes: Sequence[Node]
) -> Iterator[tuple[Node, Thing]]:
    """The objects that leave other nodes when a container with these references goes to *node*."""
    for other in nodes if volumes or networks else ():
        if other is node:
            continue
        for name in volumes:
            volume: Thing = ("volume", name)
            if other.objects.is_leaving(volume) or other.objects.is_loose_volume(name):
                yield other, volume
        for text in networks:
            found = find_network(other, text)
            if found is None:
                continue
            network: Thing = ("network", str(found.get("Name")))
            if other.objects.is_leaving(network) or other.objects.is_loose_network(found):
                yield other, network
