"""A create body as the engine of one node understands it.

An engine knows nothing of nodes and swarm ids, so what goes to it has ``node/`` taken off, and its
own id where a client wrote a swarm id, or the beginning of an id that the engine cannot complete.
From API 1.44 on a create may name several endpoints; an older engine refuses that, and takes the
others as connects between create and start.
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
    """A ``HostConfig`` whose network, container and volume references *node*'s engine understands.

    Args:
        host_config: in Docker's spelling.
        node: the node whose engine gets it.
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
    """A container reference that the engine knows; an unknown reference stays as it is."""
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


# ---- several networks from the beginning


_SEVERAL = ApiVersion(1, 44)
#: Modes that mean the engine's first network.
_DEFAULT_MODES = frozenset({"", "default", "bridge"})


def divide_endpoints(
    body: Mapping[str, Any], node: Node, version: ApiVersion
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What *node*'s engine is asked to create, and the endpoints that it is to connect afterwards.

    Args:
        body: a create's for that engine, as ``ContainerConfig.body_for`` gives it.
        node: the node of that engine.
        version: the client's; below 1.44 several endpoints are the engine's to refuse.
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
    """The endpoint of the mode's network, else the first; ``None`` where a mode takes none."""
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
