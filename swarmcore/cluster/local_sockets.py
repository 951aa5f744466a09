"""Decides which unix sockets of the manager's machine a discovery may name as engines.

A list from another machine must not decide that the manager uses a socket of its own machine: who
can write to the list could reach services with the manager's rights.
"""

import os
from collections.abc import Collection, Sequence

from swarmcore.addresses import Address
from swarmcore.model import Entry
from swarmcore.protocols import DiscoverySink

#: How to allow it, for messages.
_OPTION = "--unix-engines"


class LocalSockets:
    """A ``DiscoverySink`` that leaves out entries with sockets that they may not name.

    Args:
        sink: receives the other entries, and the reasons as problems.
        scheme: the discovery's scheme, for messages.
        allowed: whether unix sockets other than *own* may be named.
        own: paths of the sockets on which the manager listens.
    """

    def __init__(
        self, sink: DiscoverySink, scheme: str, own: Collection[str], *, allowed: bool
    ) -> None:
        self._sink = sink
        self._scheme = scheme
        self._own = {os.path.realpath(path) for path in own}
        self._allowed = allowed

    def entries(self, entries: Sequence[Entry], problems: Sequence[str] = ()) -> None:
        """See ``DiscoverySink``."""
        reasons = {entry.address: self._objection(entry.address) for entry in entries}
        usable = [entry for entry in entries if not reasons[entry.address]]
        self._sink.entries(usable, [*problems, *filter(None, reasons.values())])

    def failed(self, reason: str) -> None:
        """See ``DiscoverySink``."""
        self._sink.failed(reason)

    def _objection(self, address: Address) -> str:
        """Why the address may not be used; empty if it may."""
        if address.scheme != "unix":
            return ""
        if os.path.realpath(address.path) in self._own:
            return f"{address} is a socket on which this manager itself listens"
        if not self._allowed:
            return (
                f"the list from {self._scheme}:// names {address}, a socket of the manager's own"
                f" machine; start the manager with {_OPTION} to allow that"
            )
        return ""
