"""Several networks from the beginning, on an engine that takes one: which one, and which later.

From API 1.44 on a create may name several endpoints; an older engine refuses that, and takes the
others as connects between create and start.
"""

from collections.abc import Mapping
from typing import Any

from swarmcore.config.references import find_network
from swarmcore.json_values import as_object
from swarmcore.node import Node
from swarmcore.versions import ApiVersion

_SEVERAL = ApiVersion(1, 44)
#: Modes that mean the engine's first network.
_DEFAULT = frozenset({"", "default", "bridge"})


def divide_endpoints(
    body: Mapping[str, Any], node: Node, version: ApiVersion
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What *node*'s engine is asked to create, and the endpoints that it is to connect afterwards.

    Args:
        body: a create's for that engine, as ``ContainerConfig.body_for`` gives it.
        node: whose engine it is.
        version: the client's; one that must not name several endpoints gets the engine's refusal.
    """
    networking = as_object(body.get("NetworkingConfig"))
    endpoints = as_object(networking.get("EndpointsConfig"))
    if len(endpoints) < 2 or version < _SEVERAL or node.api_version >= _SEVERAL:
        return body, {}
    first = _first(endpoints, as_object(body.get("HostConfig")).get("NetworkMode") or "", node)
    if first is None:
        return body, {}
    kept = {"EndpointsConfig": {first: endpoints[first]}}
    later = {network: endpoint for network, endpoint in endpoints.items() if network != first}
    return {**body, "NetworkingConfig": {**networking, **kept}}, later


def _first(endpoints: Mapping[str, Any], mode: Any, node: Node) -> str | None:
    """The endpoint of the mode's network, else the first; ``None`` where a mode takes none."""
    if not isinstance(mode, str) or mode in ("host", "none") or mode.startswith("container:"):
        return None
    if mode in endpoints:
        return mode
    if mode in _DEFAULT:
        named = [network for network in endpoints if network in _DEFAULT]
    else:
        wanted = find_network(node, mode)
        named = [each for each in endpoints if wanted and find_network(node, each) == wanted]
    return (named or list(endpoints))[0]
