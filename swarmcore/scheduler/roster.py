"""The nodes of a cluster with positions, so that a set of nodes is one integer.

Bit N of such a *mask* stands for the node at position N.  Python combines masks of a thousand nodes
in less time than it takes to look at two nodes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from swarmcore.node import Aspect, ChangeLog, Node, Watched


class Roster:
    """Nodes in a fixed order, and the log of their changes.

    Args:
        nodes: the nodes; each counts once.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = tuple(dict.fromkeys(nodes))
        self.everyone = (1 << len(self.nodes)) - 1
        self.log = ChangeLog()
        self._positions: dict[Watched, int] = {
            node: position for position, node in enumerate(self.nodes)
        }
        for node in self.nodes:
            node.watch(self.log)

    def close(self) -> None:
        """End the logging of changes."""
        for node in self.nodes:
            node.unwatch(self.log)

    def find(self, nodes: Sequence[Node]) -> int | None:
        """The mask of *nodes*; ``None`` if one is not here, or if their order is another one."""
        if nodes is self.nodes or nodes == self.nodes:  # tuples compare identical items quickly
            return self.everyone
        found = [self._positions.get(node, -1) for node in nodes]
        in_order = all(map(int.__lt__, [-1, *found], found))
        return self.mask(found) if in_order else None

    def changed_since(self, number: int, aspects: Iterable[Aspect]) -> list[int]:
        """The positions of the nodes that changed after the change with *number*."""
        if number == self.log.number:
            return []
        return [self._positions[node] for node in self.log.since(number, aspects)]

    def mask(self, positions: Collection[int]) -> int:
        """The mask of *positions*; takes the same time for each position, unlike shifts."""
        if not positions:
            return 0
        bits = bytearray(len(self.nodes) // 8 + 1)
        for position in positions:
            bits[position >> 3] |= 1 << (position & 7)
        return int.from_bytes(bits, "little")

    def select(self, mask: int) -> list[Node]:
        """The nodes of *mask*, in order."""
        return [self.nodes[position] for position in positions_of(mask)]


def spell(mask: int, size: int) -> str:
    """*mask* as *size* digits, the first of which stands for position 0."""
    return f"{mask:0{size}b}"[::-1]


def positions_of(mask: int) -> Iterator[int]:
    """The positions in *mask*, in order; searches for them as for a character in a text."""
    digits = bin(mask)[:1:-1]
    position = digits.find("1")
    while position >= 0:
        yield position
        position = digits.find("1", position + 1)
