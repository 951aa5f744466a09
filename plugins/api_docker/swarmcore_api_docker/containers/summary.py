"""The JSON object of a container in ``GET /containers/json``, kept encoded between two lists.

Only the status changes with time.  It is the last field of the object, so that everything before it
is encoded once for each change of the container.
"""

from collections.abc import Iterable
from typing import Any, Literal
from weakref import WeakKeyDictionary

from swarmcore.images import shown_image
from swarmcore.json_bytes import write_json
from swarmcore.model import Container, State
from swarmcore.node import Node
from swarmcore_api_docker.containers.ports import show_summary_ports
from swarmcore_api_docker.containers.status_text import FOREVER, Status, status_of

#: How names are shown: ``/web``, ``/node/web`` as in Swarm classic, or both, ``/node/web`` first.
NameStyle = Literal["plain", "classic", "both"]
#: A label that lists add, so that clients and ``--format`` can show the node.
NODE_LABEL = "com.docker.swarm.node.name"


class _EncodedSummary:
    """One encoded object, and the values from which it was made.

    Attributes:
        encoded: the whole object.
        since, until: when it is valid, in Unix seconds of the engine's clock.
        head_length: the number of bytes before the status.
        status: the status at any time.
    """

    __slots__ = (
        "encoded",
        "head_length",
        "image",
        "image_name",
        "node_ip",
        "node_name",
        "since",
        "status",
        "until",
    )

    def __init__(
        self, head: bytes, status: Status, node: Node, image_name: str, image: str
    ) -> None:
        self.encoded = head
        self.head_length = len(head)
        self.status = status
        self.node_name = node.name
        self.node_ip = node.ip
        self.image_name = image_name
        self.image = image
        self.since = self.until = 0.0

    def with_status(self, text: str) -> bytes:
        """The object with the status *text*."""
        return self.encoded[: self.head_length] + write_json(text) + b"}"


class SummaryEncoder:
    """Encodes containers, and keeps the result as long as the container exists.

    Args:
        names: how names are shown.
    """

    def __init__(self, names: NameStyle) -> None:
        self._names: NameStyle = names
        self._encoded: WeakKeyDictionary[Container, _EncodedSummary] = WeakKeyDictionary()

    def encode(self, container: Container, node: Node, now: float) -> bytes:
        """Return one object of ``GET /containers/json``; arguments as for ``encode_until``."""
        return self.encode_until(container, node, now)[0]

    def encode_until(self, container: Container, node: Node, now: float) -> tuple[bytes, float]:
        """Return one object of ``GET /containers/json``, and the time until which it is valid.

        Ages are those that the engine would show by its own clock.

        Args:
            container: the container.
            node: its node.
            now: the time in Unix seconds.

        Returns:
            The object, and the time in Unix seconds from which its status may differ even if the
            container and the node stay the same.
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
            status = status_of(container.detail.get("State") or {})
            head = self._head(container, node, image)
            encoded = _EncodedSummary(head, status, node, name, image)
            self._encoded[container] = encoded
        if node.state is not State.HEALTHY:
            return encoded.with_status("Host Down"), FOREVER
        engine_now = now - node.skew_seconds
        if not encoded.since <= engine_now < encoded.until:  # a clock may be set back
            text, encoded.until = encoded.status.at(engine_now)
            encoded.since, encoded.encoded = engine_now, encoded.with_status(text)
        return encoded.encoded, encoded.until + node.skew_seconds

    def _head(self, container: Container, node: Node, image: str) -> bytes:
        summary = {key: value for key, value in container.summary.items() if key != "Status"}
        summary["Names"] = show_names(container.names, node.name, self._names)
        summary["Labels"] = {**container.labels, NODE_LABEL: node.name}
        summary["Image"] = image
        summary["State"] = container.state
        summary["Ports"] = show_summary_ports(summary.get("Ports"), node.ip)
        return write_json(summary)[:-1] + b',"Status":'


def show_image_name(container: Container, node: Node, name: str) -> str:
    """Return ``Image`` of a list object.

    It is the image's name as the client wrote it.  If that name now means another image, it is the
    image's id, as in an engine.

    Args:
        container: the container.
        node: its node.
        name: the name of its image, as engines print it.
    """
    meant = node.image_called(name)
    if meant and meant == container.image_id:
        return container.image
    if meant or name in node.moved_names:
        return container.image_id
    return str(container.summary.get("Image") or "")


def show_names(names: Iterable[str], node_name: str, style: NameStyle) -> list[str]:
    """Return ``Names`` of a list object.

    Args:
        names: the container's names without the leading slash.
        node_name: the name of its node.
        style: how names are shown.
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
    """Return an encoded object with ``SizeRw`` and ``SizeRootFs`` from the object *sizes*."""
    wanted = {key: sizes[key] for key in ("SizeRw", "SizeRootFs") if key in sizes}
    return encoded[:-1] + b"," + write_json(wanted)[1:] if wanted else encoded
