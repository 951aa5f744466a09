"""The held ports of one host.

A single port is held for good.  A range means "any one of these, the engine chooses": its holder is
sure to get one, and which one is unknown until the container runs and its claim names it.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from swarmcore.model import HostPort

_Held = list[tuple[HostPort, str]]


@dataclass(slots=True)
class PortTable:
    """The ports of one host, and the containers that hold them."""

    #: Port number -> its holders; the same number may be held once per address.
    _single: dict[int, _Held] = field(default_factory=dict)
    _ranges: _Held = field(default_factory=list)

    def take(self, ports: Sequence[HostPort], holder: str) -> None:
        """Count *ports* as held; a clash is the caller's to avoid, or an engine's to have."""
        for port in ports:
            if port.first == port.last:
                self._single.setdefault(port.first, []).append((port, holder))
            else:
                self._ranges.append((port, holder))

    def give_back(self, ports: Sequence[HostPort], holder: str) -> None:
        """Undo one ``take`` of the same arguments."""
        for port in ports:
            if port.first != port.last:
                self._ranges.remove((port, holder))
                continue
            held = self._single[port.first]
            held.remove((port, holder))
            if not held:
                del self._single[port.first]

    def holder(self, port: HostPort) -> str | None:
        """The holder of a single port, or the first holder of a full range; else ``None``."""
        if port.first == port.last:
            for held, name in self._single.get(port.first, ()):
                if held.clashes(port):
                    return name
            return None
        if _Search().first(port, self._is_free) is not None:
            return None
        return self.holder(_one(port, port.first))

    def clash(self, ports: Sequence[HostPort]) -> tuple[HostPort, str] | None:
        """The first of *ports* that cannot be had with the others, and the holder in the way.

        Holders of ranges count: each keeps one port of its range.
        """
        singles = [port for port in ports if port.first == port.last]
        for port in singles:
            found = self.holder(port)
            if found is not None:
                return port, found
        touched = any(held.clashes(port) for held, _ in self._ranges for port in ports)
        if touched or len(singles) < len(ports):
            return self._squeeze(ports)
        return None

    def _squeeze(self, ports: Sequence[HostPort]) -> tuple[HostPort, str] | None:
        """See whether every range gets a port of its own beside *ports*."""
        search = _Search()
        rivals = [held for held in self._ranges if search.first(held[0], self._is_free)]
        failed = self._arrange(ports, rivals)
        if failed and self._arrange((), rivals):
            # They had too few ports before; that is between them and their engine.
            rivals = []
            failed = self._arrange(ports, rivals)
        if failed is None:
            return None
        wish, name = failed
        if not name and (found := self.holder(wish)) is not None:
            return wish, found
        asked = next((port for port in ports if port.clashes(wish)), ports[0])
        others = (rival for held, rival in rivals if held.clashes(asked))
        return asked, name or next(others, "this container itself")

    def _arrange(self, ports: Sequence[HostPort], rivals: _Held) -> tuple[HostPort, str] | None:
        """Give out ports in an order that finds a way when there is one; a wish that gets none.

        That order is by the end of the range, each taking the lowest that is free.
        """
        taken: dict[int, list[HostPort]] = defaultdict(list)
        wishes = list(rivals)
        for port in ports:
            if port.first == port.last:
                taken[port.first].append(port)
            else:
                wishes.append((port, ""))

        def is_free(port: HostPort) -> bool:
            others = taken.get(port.first, ())
            return self._is_free(port) and not any(port.clashes(other) for other in others)

        search = _Search()
        for wish, name in sorted(wishes, key=lambda pair: pair[0].last):
            found = search.first(wish, is_free)
            if found is None:
                return wish, name
            taken[found.first].append(found)
        return None

    def _is_free(self, port: HostPort) -> bool:
        return self.holder(port) is None


class _Search:
    """Looks for free ports, while what is not free stays so.

    No port is looked at twice for one address, however many ranges have it: a client may ask for a
    thousand of all ports.
    """

    def __init__(self) -> None:
        #: Of each protocol and address: a number that is not free -> a later one that may be.
        self._next: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)

    def first(self, wish: HostPort, is_free: Callable[[HostPort], bool]) -> HostPort | None:
        """The lowest port of a range that is free; ``None``: there is none."""
        later = self._next[wish.protocol, wish.ip]
        number = _end(later, wish.first)
        while number <= wish.last:
            port = _one(wish, number)
            if is_free(port):
                return port
            later[number] = number + 1
            number = _end(later, number)
        return None


def _end(later: dict[int, int], number: int) -> int:
    """Where a chain of *later* ends; it is made short for the next who goes along it."""
    end = number
    while end in later:
        end = later[end]
    while number != end:
        later[number], number = end, later[number]
    return end


def _one(port: HostPort, number: int) -> HostPort:
    return HostPort(number, number, port.protocol, port.ip)
