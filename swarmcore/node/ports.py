"""The held ports of one host.

A single port is held by itself.  A range means that the engine chooses one of its ports: the holder
of the range is sure to get one, and the port is known once the container runs.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from swarmcore.model import HostPort

_Held = list[tuple[HostPort, str]]


@dataclass(slots=True)
class PortTable:
    """The ports of one host, and the containers that hold them."""

    #: Port number -> its holders; a number may be held once per IP address.
    _single: dict[int, _Held] = field(default_factory=dict)
    _ranges: _Held = field(default_factory=list)

    def take(self, ports: Sequence[HostPort], holder: str) -> None:
        """Add *ports*; whether they clash is not checked."""
        single = self._single
        for port in ports:
            first = port.first
            if first != port.last:
                self._ranges.append((port, holder))
            elif first in single:
                single[first].append((port, holder))
            else:
                single[first] = [(port, holder)]

    def give_back(self, ports: Sequence[HostPort], holder: str) -> None:
        """Undo one ``take`` with the same arguments."""
        for port in ports:
            if port.first != port.last:
                self._ranges.remove((port, holder))
                continue
            held = self._single[port.first]
            if len(held) == 1:
                del self._single[port.first]
            else:
                held.remove((port, holder))

    def holder(self, port: HostPort) -> str | None:
        """The holder of a single port, or the first holder of a full range; ``None`` if free."""
        if port.first == port.last:
            for held, name in self._single.get(port.first, ()):
                if held.clashes(port):
                    return name
            return None
        if _Search().first(port, self._is_free) is not None:
            return None
        return self.holder(_one(port, port.first))

    def clash(self, ports: Sequence[HostPort]) -> tuple[HostPort, str] | None:
        """Return the first of *ports* that is not free together with the others, and its holder.

        Each range, whether held already or among *ports*, needs one port of its own.
        """
        singles = [port for port in ports if port.first == port.last]
        for port in singles:
            if port.first in self._single and (found := self.holder(port)) is not None:
                return port, found
        touched = any(held.clashes(port) for held, _ in self._ranges for port in ports)
        if touched or len(singles) < len(ports):
            return self._squeeze(ports)
        return None

    def _squeeze(self, ports: Sequence[HostPort]) -> tuple[HostPort, str] | None:
        """Check whether every range can get a port of its own in addition to *ports*."""
        search = _Search()
        rivals = [held for held in self._ranges if search.first(held[0], self._is_free)]
        failed = self._arrange(ports, rivals)
        if failed and self._arrange((), rivals):
            # Ports did not suffice even before; leave those ranges to their engine.
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
        """Assign ports to all ranges; return the first range that gets no port, if any.

        Ranges are served in order of their last port, each with its lowest free port.  This finds
        an assignment whenever there is one.
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
    """Searches for free ports; ports that are not free must stay so.

    No port is checked twice for one IP address, however many ranges include it: a client may ask
    for a thousand ranges of all ports.
    """

    def __init__(self) -> None:
        #: Per protocol and address: a port number that is not free -> a later one that may be.
        self._next: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)

    def first(self, wish: HostPort, is_free: Callable[[HostPort], bool]) -> HostPort | None:
        """The lowest free port of a range; ``None`` if there is none."""
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
    """The end of a chain of *later*; compresses the path, as in union-find."""
    end = number
    while end in later:
        end = later[end]
    while number != end:
        later[number], number = end, later[number]
    return end


def _one(port: HostPort, number: int) -> HostPort:
    return HostPort(number, number, port.protocol, port.ip)
