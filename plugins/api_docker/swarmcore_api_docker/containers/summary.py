"""Containers as ``docker ps`` reads them, encoded once per change and joined at each list.

Only the status ages; it stands last in the object, so that everything before it is made once.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal
from weakref import WeakKeyDictionary

from swarmcore.images import shown_image
from swarmcore.model import Container, State
from swarmcore.node import Node
from swarmcore_api_docker.containers.ports import show_summary_ports
from swarmcore_api_docker.containers.status_text import format_status

#: How names are shown: ``/web``, ``/node/web`` as classic did, or both, the prefixed first.
NameStyle = Literal["plain", "classic", "both"]
#: Added to the labels that a list shows, so that formats and clients can read the node.
NODE_LABEL = "com.docker.swarm.node.name"


class _EncodedSummary:
    __slots__ = ("encoded", "head", "image", "image_name", "node_ip", "node_name", "until")

    def __init__(self, head: bytes, node: Node, image_name: str, image: str) -> None:
        self.head = head
        self.node_name = node.name
        self.node_ip = node.ip
        self.image_name = image_name
        self.image = image
        self.encoded = b""
        self.until = 0.0


class SummaryEncoder:
    """The encoded containers; forgets each with its container.

    Args:
        names: how to show names.
    """

    def __init__(self, names: NameStyle) -> None:
        self._names: NameStyle = names
        self._encoded: WeakKeyDictionary[Container, _EncodedSummary] = WeakKeyDictionary()

    def encode(self, container: Container, node: Node, now: float) -> bytes:
        """One object of ``GET /containers/json``.

        Args:
            container: what to show.
            node: where it is.
            now: Unix seconds.
        """
        encoded = self._encoded.get(container)
        name = shown_image(container.image) if encoded is None else encoded.image_name
        image = show_image_name(container, node, name)
        if (
            encoded is None
            or encoded.image != image
            or encoded.node_name != node.name
            or encoded.node_ip != node.ip
        ):
            encoded = _EncodedSummary(self._head(container, node, image), node, name, image)
            self._encoded[container] = encoded
        if node.state is not State.HEALTHY:
            return encoded.head + b'"Host Down"}'
        if now >= encoded.until:
            status = format_status(container.detail.get("State") or {}, now)
            encoded.encoded = encoded.head + _dump(status.text) + b"}"
            encoded.until = status.until
        return encoded.encoded

    def _head(self, container: Container, node: Node, image: str) -> bytes:
        summary = {key: value for key, value in container.summary.items() if key != "Status"}
        summary["Names"] = show_names(container.names, node.name, self._names)
        summary["Labels"] = {**container.labels, NODE_LABEL: node.name}
        summary["Image"] = image
        summary["State"] = container.state
        summary["Ports"] = show_summary_ports(summary.get("Ports"), node.ip)
        return _dump(summary)[:-1] + b',"Status":'


def show_image_name(container: Container, node: Node, name: str) -> str:
    """``Image`` of a list object: what the client wrote, or as engines have it the id of the image
    where that means another one by now.

    Args:
        container: whose.
        node: where it is.
        name: of its image, as engines print it.
    """
    meant = node.image_called(name)
    if meant and meant == container.image_id:
        return container.image
    if meant or name in node.moved_names:
        return container.image_id
    return str(container.summary.get("Image") or "")


def show_names(names: Iterable[str], node_name: str, style: NameStyle) -> list[str]:
    """``Names`` of a list object.

    Args:
        names: the container's, without the leading slash.
        node_name: the node's.
        style: see ``NameStyle``.
    """
    plain = [f"/{name}" for name in names]
    prefixed = [f"/{node_name}{name}" for name in plain]
    match style:
        case "plain":
            return plain
        case "classic":
            return prefixed
        case "both":
            return prefixed + plain


def add_sizes(encoded: bytes, sizes: dict[str, Any]) -> bytes:
    """An encoded object with ``SizeRw`` and ``SizeRootFs`` as its engine just computed them."""
    wanted = {key: sizes[key] for key in ("SizeRw", "SizeRootFs") if key in sizes}
    return encoded[:-1] + b"," + _dump(wanted)[1:] if wanted else encoded


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
