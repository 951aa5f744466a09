"""Delays lists from which engines have suddenly disappeared.

A store that lost its data is empty, a file that is being rewritten is empty or incomplete, and a
truncated line cannot be read.  In these cases the engines and their containers still exist.
"""

from collections.abc import Sequence

import trio

from swarmcore.addresses import Address
from swarmcore.protocols import DiscoverySink, Entry


class Patience:
    """Passes lists on to a sink; delays doubtful ones.

    Args:
        sink: receives the entries.
        nursery: runs the waiting.
        hold_seconds: delay of a list that became empty, or that lacks engines and may be
            incomplete.
        tell_seconds: after this time the sink is notified that a list is delayed.  Otherwise a file
            that is rewritten in place would cause a message each time.
        source: the name of the list in that message.
    """

    def __init__(
        self,
        sink: DiscoverySink,
        nursery: trio.Nursery,
        hold_seconds: float,
        *,
        tell_seconds: float = 0.0,
        source: str = "the store",
    ) -> None:
        self._sink = sink
        self._nursery = nursery
        self._hold_seconds = hold_seconds
        self._tell_seconds = tell_seconds
        self._source = source
        self._told: Sequence[Entry] = ()
        self._problems: Sequence[str] = ()
        #: The latest list, while it is delayed.
        self._doubted: tuple[Sequence[Entry], Sequence[str]] = ((), ())
        self._missing: set[Address] = set()
        self._holding = trio.CancelScope()
        #: Whether a list has been reported.
        self.is_listed = False

    def report(
        self, entries: Sequence[Entry], problems: Sequence[str], *, whole: bool = True
    ) -> None:
        """Report a new list.

        Args:
            entries: all usable entries.
            problems: unusable entries; a new one may be an engine that was known.
            whole: whether the list is certainly complete.
        """
        whole = whole and set(problems) <= set(self._problems)
        listed = {entry.address for entry in entries}
        missing = [entry for entry in self._told if entry.address not in listed]
        if not missing or self._hold_seconds <= 0 or (whole and entries):
            self.stop_doubting()
            self._tell(entries, problems)
            return
        self._doubted = entries, problems
        if any(entry not in self._told for entry in entries):
            self._tell([*entries, *missing], self._problems)
        addresses = {entry.address for entry in missing}
        self._missing &= addresses  # engines that are back need not be waited for
        if not addresses <= self._missing:
            self.stop_doubting()
            self._missing, self._holding = addresses, trio.CancelScope()
            self._nursery.start_soon(self._hold, self._holding)

    def stop_doubting(self) -> None:
        """Keep what the sink has, and drop a list that is delayed."""
        self._holding.cancel()
        self._missing = set()

    async def _hold(self, scope: trio.CancelScope) -> None:
        with scope:
            told_after = min(self._tell_seconds, self._hold_seconds)
            await trio.sleep(told_after)
            if told_after < self._hold_seconds:
                self._sink.failed(self._word())
            await trio.sleep(self._hold_seconds - told_after)
            self._missing = set()
            self._tell(*self._doubted)

    def _word(self) -> str:
        what = "lists no engines"
        if self._doubted[0]:
            what = f"lacks {len(self._missing)} of {len(self._told)} engines"
        return (
            f"{self._source} suddenly {what}; the missing ones are removed after"
            f" {self._hold_seconds:g} s"
        )

    def _tell(self, entries: Sequence[Entry], problems: Sequence[str]) -> None:
        self._told, self._problems, self.is_listed = entries, problems, True
        self._sink.entries(entries, problems)
