"""Counts requests and bytes by kind of request; what is under way counts as it goes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from swarmcore.protocols import Traffic
from swarmcore.server import cause_of
from swarmcore.server.incoming import ClientGone
from swarmcore.server.server import answer_to

#: What nginx logs for a client that left before it was answered; no answer has it.
_CLIENT_LEFT = 499


class Carried(Protocol):
    """A request that counts its own bytes."""

    @property
    def status(self) -> int:
        """Of its answer; 0 before."""
        ...

    @property
    def received(self) -> int:
        """Bytes of its body."""
        ...

    @property
    def sent(self) -> int:
        """Bytes of its answer."""
        ...


class Meter:
    """Counts; kinds are few."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    @contextmanager
    def count(self, kind: str, carried: Carried) -> Iterator[None]:
        """Count *carried* while the block lasts, and its outcome.

        Args:
            kind: from a small set: the first segment of a route.
            carried: the request; its error is that of the block where it has no status.
        """
        counted = self._kinds.setdefault(kind, _Kind())
        counted.under_way.add(carried)
        failed = _CLIENT_LEFT
        try:
            yield
        except Exception as raised:
            error = cause_of(raised)
            failed = _CLIENT_LEFT if isinstance(error, ClientGone) else answer_to(error).status
            raise
        finally:
            counted.end(carried, carried.status or failed)

    def traffic(self) -> Mapping[str, Traffic]:
        """What was counted, by kind."""
        return {kind: counted.read() for kind, counted in sorted(self._kinds.items())}


class _Kind:
    def __init__(self) -> None:
        self.under_way: set[Carried] = set()
        self._answered: Counter[int] = Counter()
        self._received = 0
        self._sent = 0

    def end(self, carried: Carried, status: int) -> None:
        self.under_way.remove(carried)
        self._answered[status] += 1
        self._received += carried.received
        self._sent += carried.sent

    def read(self) -> Traffic:
        return Traffic(
            under_way=len(self.under_way),
            answered=dict(self._answered),
            received=self._received + sum(each.received for each in self.under_way),
            sent=self._sent + sum(each.sent for each in self.under_way),
        )
