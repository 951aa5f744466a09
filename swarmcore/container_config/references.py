"""What a create body refers to by name, and what those names mean on one node.

A reference is a name, an id, the beginning of one, a swarm id, or any of these behind ``node/``.
References are read and compared here; ``engine_body`` replaces them by what an engine understands.

A network that is made anew on another node has another id there.  Its former ids stay with it in a
label that clients do not see, so that they lead to it also after the manager was started again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from swarmcore.json_values import as_object, as_objects, as_text, as_texts
from swarmcore.model import Container
from swarmcore.node import PREDEFINED_NETWORKS, ListingNode, Node, Thing, things_of

#: Digits of an id.
_ID = 64
_NO_NETWORK_NAMES = PREDEFINED_NETWORKS | {"", "default", "nat"}
#: Fields that name a container whose namespace is joined: ``container:db``.
_JOINABLE = ("NetworkMode", "IpcMode", "PidMode")
#: A bind's source that is a path and no volume: of Unix, relative, of Windows.
_PATH = re.compile(r"[/~.\\]|[a-zA-Z]:[/\\]")


def joined_containers(host_config: Mapping[str, Any]) -> tuple[str, ...]:
    """Containers whose network, IPC or PID namespace is asked for.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    texts = (host_config.get(key) for key in _JOINABLE)
    split = (text.partition(":") for text in texts if isinstance(text, str))
    return _once(name for kind, _, name in split if kind == "container" and name)


def named_networks(host_config: Mapping[str, Any], networking: Any) -> tuple[str, ...]:
    """User networks that the container is to be on from its beginning.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
        networking: ``NetworkingConfig``, whatever it is.
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
    """Volumes that are mounted by name -> the plugin that makes them where they do not exist.

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


# ---- on one node


def without_node(text: str, node: ListingNode) -> str:
    """*text* as *node*'s engine may know it: ``name`` of ``node/name`` when it is that node."""
    for word in (node.name, node.id):
        if word and text.startswith(f"{word}/"):
            return text[len(word) + 1 :]
    return text


def find_container(node: Node, text: str) -> Container | None:
    """The container of *node* that *text* means, in the order of ``NameIndex.find``."""
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
    """The network that *text* means on *node*: by id, name, or the beginning of one id.

    A network that spans engines may be named ``node/name`` with any node that lists it; a network
    that was moved also by the ids that it had on other nodes.
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
    """What *node* reaches of a network that *text* says is another node's."""
    if "/" not in text:
        return None
    for id, listed in node.spanning.networks_of(node):
        for other, document in listed.documents.items():
            if without_node(text, other) in (id, document.get("Name")):
                return document
    return None


def network_for(text: str, node: Node) -> str:
    """*text*, which means a network, as *node*'s engine understands it.

    An engine knows nothing of other nodes, and completes no id of a swarm's network.
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
    """The names and ids of user networks that *container* was created with, or is on."""
    words = (word for kind, word in things_of(container) if kind == "network")
    return _once(word for word in sorted(words) if word not in _NO_NETWORK_NAMES)


def has_network(node: Node, text: str) -> bool:
    """Whether *node* has the network that *text* means, and keeps it, or is about to have it."""
    found = find_network(node, text)
    if found is not None and not node.objects.is_leaving(("network", str(found.get("Name")))):
        return True
    text = without_node(text, node)
    words = (word for each in node.reservations.values() for word in each.networks)
    return any(word == text or (len(word) == _ID and word.startswith(text)) for word in words)


# ---- labels that the manager gives networks, for what no engine keeps


#: The ids that a network had on other nodes, the first one first, separated by commas.
FORMER_IDS: Final = "com.docker.swarm.network.former-ids"
#: The client named no subnet, so the engine chose one; ``engine``.
SUBNET_BY: Final = "com.docker.swarm.network.subnet-by"
BY_ENGINE: Final = "engine"
_OWN = frozenset({FORMER_IDS, SUBNET_BY})

_Document = Mapping[str, Any]


def former_ids(network: _Document) -> tuple[str, ...]:
    """The ids by which *network* was known before it went to its node."""
    ids = as_object(network.get("Labels")).get(FORMER_IDS)
    return tuple(filter(None, ids.split(","))) if isinstance(ids, str) else ()


def has_subnet_of_engine(network: _Document) -> bool:
    """Whether the subnet of *network* is known to be its engine's choice."""
    return as_object(network.get("Labels")).get(SUBNET_BY) == BY_ENGINE


def has_own_labels(network: _Document) -> bool:
    """Whether *network* has labels that clients do not see."""
    return not _OWN.isdisjoint(as_object(network.get("Labels")))


def without_own_labels(network: _Document) -> _Document:
    """*network* as clients see it."""
    if not has_own_labels(network):
        return network
    labels = {key: value for key, value in network["Labels"].items() if key not in _OWN}
    return {**network, "Labels": labels}


# ---- networks and volumes that nothing uses yet


def find_loose(
    volumes: Sequence[str], networks: Sequence[str], nodes: Sequence[Node]
) -> Mapping[Thing, Node]:
    """Which networks and volumes are loose, so that they may be made anew on a container's node.

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


def _only(nodes: Sequence[Node]) -> Node | None:
    return nodes[0] if len(nodes) == 1 and nodes[0].health > 0 else None


def leaving_for(
    node: Node, volumes: Sequence[str], networks: Sequence[str], nodes: Sequence[Node]
) -> Iterator[tuple[Node, Thing]]:
    """Pairs of a node and what leaves it when a container with these is placed on *node*."""
    for other in nodes:
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
