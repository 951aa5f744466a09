"""Who holds which ports of one host.

A single port is held for good.  A range means "any one of these, the engine chooses": its holder is
sure to get one, and nobody knows which until the container runs and its claim names it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from swarmcore.model import HostPort

_Held = list[tuple[HostPort, str]]


@dataclass(slots=True)
class PortTable:
    """The ports of one host, and those who hold them."""

    #: Port number -> those who hold it; the same number may be held once per address.
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
        """Who holds a single port, or the first of a range without a free one; else ``None``."""
        if port.first == port.last:
            for held, name in self._single.get(port.first, ()):
                if held.clashes(port):
                    return name
            return None
        if any(True for _ in self._free(port)):
            return None
        return self.holder(_one(port, port.first))

    def clash(self, ports: Sequence[HostPort]) -> tuple[HostPort, str] | None:
        """The first of *ports* that cannot be had together with the others, and who is in the way.

        Those who hold a range count: each keeps one port of it.
        """
        for port in ports:
            found = self.holder(port)
            if found is not None:
                return port, found
        touched = any(held.clashes(port) for held, _ in self._ranges for port in ports)
        if touched or any(port.first != port.last for port in ports):
            return self._squeeze(ports)
        return None

    def _squeeze(self, ports: Sequence[HostPort]) -> tuple[HostPort, str] | None:
        """See whether every range gets a port of its own beside *ports*."""
        rivals = [(held, name) for held, name in self._ranges if self.holder(held) is None]
        failed = self._arrange(ports, rivals)
        if failed and self._arrange((), rivals):
            # They had too few ports before; that is between them and their engine.
            rivals = []
            failed = self._arrange(ports, rivals)
        if failed is None:
            return None
        wish, name = failed
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
        for wish, name in sorted(wishes, key=lambda pair: pair[0].last):
            for port in self._free(wish):
                if not any(port.clashes(other) for other in taken[port.first]):
                    taken[port.first].append(port)
                    break
            else:
                return wish, name
        return None

    def _free(self, wish: HostPort) -> Iterator[HostPort]:
        for number in range(wish.first, wish.last + 1):
            port = _one(wish, number)
            if self.holder(port) is None:
                yield port


def _one(port: HostPort, number: int) -> HostPort:
    return HostPort(number, number, port.protocol, port.ip)
