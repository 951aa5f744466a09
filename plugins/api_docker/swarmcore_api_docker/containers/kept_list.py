"""The whole list of containers, kept encoded until something in it changes.

Clients send ``docker ps`` without filters far more often than containers change.  The rows of each
node are kept separately, so that after a change only one node's containers are encoded again.
"""

from collections.abc import Sequence
from typing import Any

from swarmcore.model import State
from swarmcore.node import Node
from swarmcore_api_docker.containers.summary import SummaryEncoder

_EMPTY = b"[]\n"


class KeptList:
    """The list of all containers, or of the running ones, newest first.

    Args:
        encoder: encodes each container.
        everything: whether to list stopped containers, and those of nodes that do not answer.
    """

    def __init__(self, encoder: SummaryEncoder, *, everything: bool) -> None:
        self._encoder = encoder
        self._everything = everything
        self._parts: dict[str, _NodePart] = {}
        self._shown: list[_NodePart] = []
        self._until = 0.0
        self._encoded = _EMPTY

    def encoded(self, nodes: Sequence[Node], now: float) -> bytes:
        """Return the answer to ``GET /containers/json``.

        Args:
            nodes: the nodes whose containers are listed.
            now: the time in Unix seconds.
        """
        parts = [self._part(node, now) for node in nodes]
        if now < self._until and parts == self._shown:
            return self._encoded
        if len(self._parts) > len(parts):
            self._parts = {node.id: part for node, part in zip(nodes, parts, strict=True)}
        rows = [row for part in parts for row in part.rows]
        rows.sort(key=_created, reverse=True)
        self._shown = parts
        self._until = min((part.until for part in parts), default=now)
        self._encoded = b"[" + b",".join([encoded for _, encoded in rows]) + b"]\n"
        return self._encoded

    def _part(self, node: Node, now: float) -> "_NodePart":
        part = self._parts.get(node.id)
        made_of = (
            node.container_changes,
            node.image_changes,
            node.state,
            node.name,
            node.ip,
        )
        if part is None or part.node is not node or part.made_of != made_of or now >= part.until:
            part = self._parts[node.id] = _NodePart(node, made_of)
            self._fill(part, now)
        return part

    def _fill(self, part: "_NodePart", now: float) -> None:
        node = part.node
        if not (self._everything or node.state is State.HEALTHY):
            return
        for container in node.containers.values():
            if self._everything or container.running:
                encoded, until = self._encoder.encode_until(container, node, now)
                part.rows.append((container.created, encoded))
                part.until = min(part.until, until)


class _NodePart:
    """The encoded containers of one node.

    Attributes:
        node: the node.
        made_of: the values from which the rows were made.
        rows: the creation time and the encoded object of each container.
        until: the time in Unix seconds from which a row must be made again.
    """

    __slots__ = ("made_of", "node", "rows", "until")

    def __init__(self, node: Node, made_of: tuple[Any, ...]) -> None:
        self.node = node
        self.made_of = made_of
        self.rows: list[tuple[float, bytes]] = []
        self.until = float("inf")


def _created(row: tuple[float, bytes]) -> float:
    return row[0]
