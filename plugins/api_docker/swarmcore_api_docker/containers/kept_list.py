"""The whole list of containers, kept encoded until something in it changes.

Clients send ``docker ps`` without filters far more often than containers change.  The rows are kept
in their order, so that after a change only the changed containers are encoded and put in place.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from swarmcore.model import Container, State
from swarmcore.node import Node
from swarmcore_api_docker.containers.status_text import FOREVER
from swarmcore_api_docker.containers.summary import SummaryEncoder
from swarmcore_api_docker.yielding import Yielder

_EMPTY = b"[]\n"
#: More changes than this are sorted in together, because a single insertion moves all later rows.
_FEW = 64

#: A place in lists: newest first, and a fixed order of containers that were created together.
Place = tuple[float, str, str]


def place_of(container: Container, node: Node) -> Place:
    """The place of *container* in lists."""
    return -container.created, container.id, node.id


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
        self._rows = _SortedRows()
        self._encoded = _EMPTY
        #: The time of the last list.
        self._now = 0.0

    async def prepare(self, nodes: Sequence[Node], now: float) -> None:
        """Encode the containers of nodes that were never listed; other tasks run in between.

        Args:
            nodes, now: see ``encoded``.
        """
        yielder = Yielder()
        for node in nodes:
            if node.id not in self._parts:
                for container in list(node.containers.values()):
                    self._encoder.encode_until(container, node, now)
                    await yielder.checkpoint()

    def encoded(self, nodes: Sequence[Node], now: float) -> bytes:
        """Return the answer to ``GET /containers/json``.

        Args:
            nodes: the nodes whose containers are listed.
            now: the time in Unix seconds.
        """
        if now < self._now:  # the clock was set back: rows may be valid until a far future
            self._parts, self._rows, self._encoded = {}, _SortedRows(), _EMPTY
        self._now = now
        gone, new = list[Place](), dict[Place, bytes]()
        for node in nodes:
            part = self._parts.get(node.id)
            if part is None or part.node is not node:
                gone += [row.place for row in part.rows.values()] if part else ()
                part = self._parts[node.id] = _NodePart(node)
            if now >= part.until or part.made_of != _values_of(node):
                self._update(part, now, gone, new)
        if len(self._parts) > len(nodes):
            for id in self._parts.keys() - {node.id for node in nodes}:
                gone += [row.place for row in self._parts.pop(id).rows.values()]
        if gone or new:
            self._rows.change(gone, new)
            self._encoded = self._rows.joined()
        return self._encoded

    def _update(
        self, part: "_NodePart", now: float, gone: list[Place], new: dict[Place, bytes]
    ) -> None:
        """Encode what has changed on one node.

        Args:
            part: what is kept of the node.
            now: the time in Unix seconds.
            gone: gets the places of rows that are removed.
            new: gets new rows, and those that replace others.
        """
        node, rows, made_of = part.node, part.rows, _values_of(part.node)
        is_other = made_of[1:] != part.made_of[1:]
        part.made_of = made_of
        shown = self._shown(node)
        gone += [rows.pop(id).place for id in rows.keys() - shown.keys()]
        for id, container in shown.items():
            row = rows.get(id)
            if row is None or row.container is not container or is_other or now >= row.until:
                encoded, until = self._encoder.encode_until(container, node, now)
                place = place_of(container, node)
                if row is not None and row.place != place:
                    gone.append(row.place)
                rows[id] = _Row(container, place, until)
                new[place] = encoded
        part.until = min((row.until for row in rows.values()), default=FOREVER)

    def _shown(self, node: Node) -> Mapping[str, Container]:
        if self._everything:
            return node.shown_containers
        if node.state is not State.HEALTHY:
            return {}
        return {id: each for id, each in node.shown_containers.items() if each.running}


class _Row(NamedTuple):
    """A row of the list.

    Attributes:
        container: the container that was encoded.
        place: its place.
        until: the time in Unix seconds from which it must be encoded again.
    """

    container: Container
    place: Place
    until: float


class _NodePart:
    """The rows of one node.

    Attributes:
        node: the node.
        made_of: the values from which the rows were made; the first one counts containers' changes.
        rows: container id -> row.
        until: the time in Unix seconds from which a row must be encoded again.
    """

    __slots__ = ("made_of", "node", "rows", "until")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.made_of: tuple[Any, ...] = ()
        self.rows: dict[str, _Row] = {}
        self.until = FOREVER


def _values_of(node: Node) -> tuple[Any, ...]:
    changes = node.container_changes, node.image_changes
    return *changes, node.state, node.name, node.ip, node.skew_seconds


class _SortedRows:
    """Encoded rows in the order of their places."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._rows: list[bytes] = []

    def change(self, gone: Sequence[Place], new: Mapping[Place, bytes]) -> None:
        """Remove the rows of the places *gone*, then add or replace the rows *new*."""
        if len(gone) + len(new) > _FEW:
            rows = dict(zip(self._places, self._rows, strict=True))
            for place in gone:
                del rows[place]
            rows.update(new)
            self._places = sorted(rows)
            self._rows = [rows[place] for place in self._places]
            return
        for place in gone:
            at = bisect_left(self._places, place)
            del self._places[at], self._rows[at]
        for place, row in new.items():
            at = bisect_left(self._places, place)
            if at < len(self._places) and self._places[at] == place:
                self._rows[at] = row
            else:
                self._places.insert(at, place)
                self._rows.insert(at, row)

    def joined(self) -> bytes:
        """The JSON array of all rows; written once, as it may have megabytes."""
        if not self._rows:
            return _EMPTY
        pieces = [b"[" + self._rows[0], *self._rows[1:]]
        pieces[-1] += b"]\n"
        return b",".join(pieces)
