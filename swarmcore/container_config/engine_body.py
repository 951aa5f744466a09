"""Converts a create body for the engine of one node.

An engine does not know nodes and swarm ids: ``node/`` prefixes are removed, and swarm ids and
abbreviated ids are replaced by the engine's own where the engine could not resolve them.  Since API
1.44 a create may have several endpoints.  Older engines refuse that; for them, further endpoints
are connected between create and start.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore.container_config.references import (
    find_container,
    find_network,
    network_for,
    without_node,
)
from swarmcore.json_values import as_object
from swarmcore.node import Node
from swarmcore.versions import ApiVersion

_JOINED = ("NetworkMode", "IpcMode", "PidMode")


def without_prefixes(host_config: Mapping[str, Any], node: Node) -> dict[str, Any]:
    """Convert a ``HostConfig``: references to networks, containers and volumes.

    Args:
        host_config: in Docker's spelling.
        node: the node of the engine.
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
    """Convert an ``EndpointsConfig``: its keys are networks, its values may have links."""
    return {
        network_for(network, node): endpoint_without_prefixes(endpoint, node)
        for network, endpoint in endpoints.items()
    }


def endpoint_without_prefixes(endpoint: Any, node: Node) -> Any:
    """Convert one ``EndpointConfig`` of a create or of a connect."""
    if not (isinstance(endpoint, Mapping) and isinstance(endpoint.get("Links"), list)):
        return endpoint
    links = [_link(each, node) if isinstance(each, str) else each for each in endpoint["Links"]]
    return {**endpoint, "Links": links}


def _own(text: str, node: Node) -> str:
    """A container reference that the engine can resolve; unknown references are unchanged."""
    found = find_container(node, text)
    if found is None or text.removeprefix("/") in found.names or found.id.startswith(text):
        return text
    return found.id


def _source(text: str, node: Node) -> str:
    name, colon, rest = without_node(text, node).partition(":")  # a node id also has a colon
    return f"{_own(name, node)}{colon}{rest}"


def _link(text: str, node: Node) -> str:
    """Convert ``db:alias``.  A swarm id without alias is its own alias, as on an engine."""
    name, colon, alias = without_node(text, node).partition(":")
    own = _own(name, node)
    return f"{own}{colon}{alias}" if colon or own == name else f"{own}:{name}"


def _mount(mount: Any, node: Node) -> Any:
    if not (isinstance(mount, Mapping) and mount.get("Type") == "volume"):
        return mount
    source = mount.get("Source")
    return {**mount, "Source": without_node(source, node)} if isinstance(source, str) else mount


# ---- several networks in one create


_SEVERAL = ApiVersion(1, 44)
#: Network modes that stand for the engine's default network.
_DEFAULT_MODES = frozenset({"", "default", "bridge"})


def divide_endpoints(
    body: Mapping[str, Any], node: Node, version: ApiVersion
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Split a create body into the body for the engine and endpoints to be connected afterwards.

    Args:
        body: the converted body; see ``ContainerConfig.body_for``.
        node: the node of the engine.
        version: the client's API version; below 1.44 the engine must refuse several endpoints.
    """
    networking = as_object(body.get("NetworkingConfig"))
    endpoints = as_object(networking.get("EndpointsConfig"))
    if len(endpoints) < 2 or version < _SEVERAL or node.api_version >= _SEVERAL:
        return body, {}
    first = _first_endpoint(
        endpoints, as_object(body.get("HostConfig")).get("NetworkMode") or "", node
    )
    if first is None:
        return body, {}
    kept = {"EndpointsConfig": {first: endpoints[first]}}
    later = {network: endpoint for network, endpoint in endpoints.items() if network != first}
    return {**body, "NetworkingConfig": {**networking, **kept}}, later


def _first_endpoint(endpoints: Mapping[str, Any], mode: Any, node: Node) -> str | None:
    """The endpoint of the mode's network, else the first; ``None`` if the mode allows none."""
    if not isinstance(mode, str) or mode in ("host", "none") or mode.startswith("container:"):
        return None
    if mode in endpoints:
        return mode
    if mode in _DEFAULT_MODES:
        named = [network for network in endpoints if network in _DEFAULT_MODES]
    else:
        wanted = find_network(node, mode)
        named = [each for each in endpoints if wanted and find_network(node, each) == wanted]
    return (named or list(endpoints))[0]
