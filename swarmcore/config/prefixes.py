"""References as the engine of one node understands them.

An engine knows nothing of nodes and swarm ids, so what goes to it has ``node/`` taken off, and its
own id where a client wrote a swarm id, or the beginning of an id that the engine cannot complete.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore.config.references import find_container, network_for, without_node
from swarmcore.node import Node

_JOINED = ("NetworkMode", "IpcMode", "PidMode")


def without_prefixes(host_config: Mapping[str, Any], node: Node) -> dict[str, Any]:
    """A ``HostConfig`` whose network, container and volume references *node*'s engine understands.

    Args:
        host_config: in Docker's spelling.
        node: whose engine gets it.
    """
    stripped = dict(host_config)
    for key in _JOINED:
        if isinstance(text := stripped.get(key), str):
            kind, colon, name = text.partition(":")
            if colon:
                stripped[key] = f"{kind}:{_own(without_node(name, node), node)}"
            elif key == "NetworkMode":
                stripped[key] = network_for(text, node)
    for key, rewrite in (("Links", _link), ("VolumesFrom", _source), ("Binds", without_node)):
        if isinstance(texts := stripped.get(key), list):
            stripped[key] = [rewrite(each, node) if isinstance(each, str) else each
                             for each in texts]  # fmt: skip
    if isinstance(mounts := stripped.get("Mounts"), list):
        stripped["Mounts"] = [_mount(mount, node) for mount in mounts]
    return stripped


def endpoints_without_prefixes(endpoints: Mapping[str, Any], node: Node) -> dict[str, Any]:
    """``EndpointsConfig``, whose keys are networks and whose values may hold links."""
    return {
        network_for(network, node): endpoint_without_prefixes(endpoint, node)
        for network, endpoint in endpoints.items()
    }


def endpoint_without_prefixes(endpoint: Any, node: Node) -> Any:
    """One ``EndpointConfig``, as in ``EndpointsConfig`` or a connect."""
    if not (isinstance(endpoint, Mapping) and isinstance(endpoint.get("Links"), list)):
        return endpoint
    links = [_link(each, node) if isinstance(each, str) else each for each in endpoint["Links"]]
    return {**endpoint, "Links": links}


def _own(text: str, node: Node) -> str:
    """A container reference that the engine knows; one that means nothing here stays."""
    found = find_container(node, text)
    if found is None or text.removeprefix("/") in found.names or found.id.startswith(text):
        return text
    return found.id


def _source(text: str, node: Node) -> str:
    name, colon, rest = without_node(text, node).partition(":")  # a node's id has a colon, too
    return f"{_own(name, node)}{colon}{rest}"


def _link(text: str, node: Node) -> str:
    """``db:alias``; where a swarm id had no alias it is its own, as the engine would have it."""
    name, colon, alias = without_node(text, node).partition(":")
    own = _own(name, node)
    return f"{own}{colon}{alias}" if colon or own == name else f"{own}:{name}"


def _mount(mount: Any, node: Node) -> Any:
    if not (isinstance(mount, Mapping) and mount.get("Type") == "volume"):
        return mount
    source = mount.get("Source")
    return {**mount, "Source": without_node(source, node)} if isinstance(source, str) else mount
