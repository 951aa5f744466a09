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
from swarmcore_api_docker.containers.status_text import word_status

#: How names are shown: ``/web``, ``/node/web`` as classic did, or both, the prefixed first.
NameStyle = Literal["plain", "classic", "both"]
#: Added to the labels that a list shows, so that formats and clients can read the node.
NODE_LABEL = "com.docker.swarm.node.name"


class _Fragment:
    __slots__ = ("encoded", "head", "image", "image_name", "node_ip", "node_name", "until")

    def __init__(self, head: bytes, node: Node, image_name: str, image: str) -> None:
        self.head = head
        self.node_name = node.name
        self.node_ip = node.ip
        self.image_name = image_name
        self.image = image
        self.encoded = b""
        self.until = 0.0


class Fragments:
    """The encoded containers; forgets each with its container.

    Args:
        names: how to show names.
    """

    def __init__(self, names: NameStyle) -> None:
        self._names: NameStyle = names
        self._fragments: WeakKeyDictionary[Container, _Fragment] = WeakKeyDictionary()

    def encode(self, container: Container, node: Node, now: float) -> bytes:
        """One object of ``GET /containers/json``.

        Args:
            container: what to show.
            node: where it is.
            now: Unix seconds.
        """
        fragment = self._fragments.get(container)
        name = shown_image(container.image) if fragment is None else fragment.image_name
        image = show_image_name(container, node, name)
        if (
            fragment is None
            or fragment.image != image
            or fragment.node_name != node.name
            or fragment.node_ip != node.ip
        ):
            fragment = _Fragment(self._head(container, node, image), node, name, image)
            self._fragments[container] = fragment
        if node.state is not State.HEALTHY:
            return fragment.head + b'"Host Down"}'
        if now >= fragment.until:
            status = word_status(container.detail.get("State") or {}, now)
            fragment.encoded = fragment.head + _dump(status.text) + b"}"
            fragment.until = status.until
        return fragment.encoded

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


def add_sizes(fragment: bytes, sizes: dict[str, Any]) -> bytes:
    """An encoded object with ``SizeRw`` and ``SizeRootFs`` as its engine just computed them."""
    wanted = {key: sizes[key] for key in ("SizeRw", "SizeRootFs") if key in sizes}
    return fragment[:-1] + b"," + _dump(wanted)[1:] if wanted else fragment


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
