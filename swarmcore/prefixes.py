"""``node/name``: how a client may say which of several things called alike it means.

An engine knows nothing of nodes, so what goes to it has the prefixes of that node taken off.
"""

from collections.abc import Mapping
from typing import Any

_JOINED = ("NetworkMode", "IpcMode", "PidMode")
_LISTED = ("Links", "VolumesFrom")


def without_prefixes(host_config: Mapping[str, Any], node_words: tuple[str, ...]) -> dict[str, Any]:
    """A ``HostConfig`` whose network, container and volume references a node's engine understands.

    Args:
        host_config: in Docker's spelling.
        node_words: the node's name and id.
    """
    stripped = dict(host_config)
    for key in _JOINED:
        if isinstance(text := stripped.get(key), str):
            kind, colon, name = text.partition(":")
            short = _strip(name, node_words) if colon else _strip(kind, node_words)
            stripped[key] = f"{kind}:{short}" if colon else short
    for key in _LISTED:
        if isinstance(texts := stripped.get(key), list):
            stripped[key] = _strip_all(texts, node_words)
    return stripped


def endpoints_without_prefixes(
    endpoints: Mapping[str, Any], node_words: tuple[str, ...]
) -> dict[str, Any]:
    """``EndpointsConfig``, whose keys are networks and whose values may hold links."""
    stripped: dict[str, Any] = {}
    for network, endpoint in endpoints.items():
        if isinstance(endpoint, Mapping) and isinstance(endpoint.get("Links"), list):
            endpoint = {**endpoint, "Links": _strip_all(endpoint["Links"], node_words)}
        stripped[_strip(network, node_words)] = endpoint
    return stripped


def _strip_all(texts: list[Any], node_words: tuple[str, ...]) -> list[Any]:
    return [_strip(text, node_words) if isinstance(text, str) else text for text in texts]


def _strip(text: str, node_words: tuple[str, ...]) -> str:
    for word in node_words:
        if word and text.startswith(f"{word}/"):
            return text[len(word) + 1 :]
    return text
