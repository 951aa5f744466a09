"""Lists that suddenly miss engines are believed only after a while.

A store that lost its data is empty; a file that is being rewritten is empty or incomplete; a line
that was cut off cannot be read.  The engines and their containers live on in each case.
"""

from collections.abc import Sequence

import trio

from swarmcore.addresses import Address
from swarmcore.protocols import DiscoverySink, Entry


class Patience:
    """Passes lists on to a sink.

    Args:
        sink: gets the entries.
        nursery: runs the waiting.
        hold_seconds: how long a list is held back that became empty, or that misses engines and may
            be incomplete.
        tell_seconds: after how long the sink is told that a list is held back.  A file that is
            rewritten in place would cause a message at each rewriting otherwise.
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
        #: The last list, while it is held back.
        self._doubted: tuple[Sequence[Entry], Sequence[str]] = ((), ())
        self._missing: set[Address] = set()
        self._holding = trio.CancelScope()
        #: Whether there ever was a list.
        self.is_listed = False

    def report(
        self, entries: Sequence[Entry], problems: Sequence[str], *, whole: bool = True
    ) -> None:
        """What is listed now.

        Args:
            entries: all that can be used.
            problems: what else is listed; a new one may be an engine that was known.
            whole: whether this certainly is all of the list.
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
        self._missing &= addresses  # what came back is not waited for any more
        if not addresses <= self._missing:
            self.stop_doubting()
            self._missing, self._holding = addresses, trio.CancelScope()
            self._nursery.start_soon(self._hold, self._holding)

    def stop_doubting(self) -> None:
        """What was told holds, until another list comes."""
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
        what = "no engine any more"
        if self._doubted[0]:
            what = f"{len(self._missing)} of {len(self._told)} engines no more"
        return f"{self._source} lists {what}; believed after {self._hold_seconds:g} s"

    def _tell(self, entries: Sequence[Entry], problems: Sequence[str]) -> None:
        self._told, self._problems, self.is_listed = entries, problems, True
        self._sink.entries(entries, problems)
