"""Follows a list of engines in a store or elsewhere, even if it cannot be read for a while.

While the store fails, the last list that was read stays valid.  ``doubted_lists`` handles engines
that suddenly disappear from a list.
"""

from collections.abc import Awaitable, Callable, Sequence

import trio

from swarmcore import chance
from swarmcore.errors import SwarmError, first_error
from swarmcore.protocols import DiscoverySink, Entry
from swarmcore.stores.doubted_lists import Patience
from swarmcore.stores.location import read_entries

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

_NO_LIST = "there is no list yet"

#: Receives the current values of all keys.
Report = Callable[[Sequence[str]], None]


#: Usable entries, and the problems of unusable ones.
Seen = tuple[Sequence[Entry], Sequence[str]]

#: Reads the list once; may raise ``StoreError``.
Look = Callable[[], Awaitable[Seen]]


def still_in_force(reason: str, *, listed: bool) -> str:
    """Add to *reason*, why a list could not be read, which list is used meanwhile.

    Args:
        reason: why the list could not be read.
        listed: whether a list has been read before.
    """
    return f"{reason}; {'the last good list stays in force' if listed else _NO_LIST}"


def bare_reason(told: str) -> str:
    """Remove from *told* what ``still_in_force`` adds if no list has been read."""
    return told.removesuffix(f"; {_NO_LIST}")


class StoreError(SwarmError):
    """A store failed or refused a request; the text names the store and the reason."""

    status = 503


async def follow(
    watch: Callable[[Report], Awaitable[None]], sink: DiscoverySink, *, hold_seconds: float
) -> None:
    """Report a list to *sink* until cancelled.

    Args:
        watch: reports the values of all keys, now and after each change, until it raises
            ``StoreError``, bare or in a group.  It is called again after a pause, which grows while
            watches report nothing or end early.
        sink: receives the entries; a failure is reported once until its reason changes.
        hold_seconds: delay of a list that became empty.
    """
    async with trio.open_nursery() as nursery:
        follower = _Follower(sink, hold_seconds, nursery)
        while True:
            began = trio.current_time()
            try:
                await watch(follower.report)
            except* StoreError as group:
                follower.failed(str(first_error(group)))
            await trio.sleep(follower.next_pause(trio.current_time() - began))


async def poll(
    look: Look,
    sink: DiscoverySink,
    *,
    period_seconds: float,
    hold_seconds: float = 0.0,
    source: str = "the source",
    whole: bool = True,
) -> None:
    """Report a list to *sink* until cancelled, for a source that must be polled.

    Args:
        look: reads the list; a failure is reported once until its reason changes.
        sink: receives the entries whenever entries or problems have changed.
        period_seconds: pause between two reads.
        hold_seconds: delay of a list that became empty.
        source: the name of the list in messages.
        whole: whether one read certainly returns the complete list; otherwise a list that lacks
            engines is delayed like an empty one.
    """
    seen: Seen | str | None = None
    async with trio.open_nursery() as nursery:
        patience = Patience(sink, nursery, hold_seconds, source=source)
        while True:
            try:
                found = await look()
            except StoreError as error:
                patience.stop_doubting()
                if seen != str(error):
                    sink.failed(still_in_force(str(error), listed=patience.is_listed))
                seen = str(error)
            else:
                if found != seen:
                    seen = found
                    patience.report(*found, whole=whole)
            await trio.sleep(period_seconds)


class _Follower:
    """The state of ``follow``: the last report, the last failure, and the next pause."""

    def __init__(self, sink: DiscoverySink, hold_seconds: float, nursery: trio.Nursery) -> None:
        self._sink = sink
        self._patience = Patience(sink, nursery, hold_seconds)
        self._failure = ""
        self._pause = _FIRST_PAUSE_SECONDS
        self._reported = False

    def report(self, values: Sequence[str]) -> None:
        self._failure, self._reported = "", True
        self._patience.report(*read_entries(values))

    def failed(self, reason: str) -> None:
        # The failure of a read does not tell whether the store is empty.
        self._patience.stop_doubting()
        if reason != self._failure:
            self._sink.failed(still_in_force(reason, listed=self._patience.is_listed))
        self._failure = reason

    def next_pause(self, lasted_seconds: float) -> float:
        # A store may return the list and still end each watch at once; then keep the long pause.
        if self._reported and lasted_seconds >= _LONGEST_PAUSE_SECONDS:
            self._pause = _FIRST_PAUSE_SECONDS
        self._reported = False
        pause = self._pause
        self._pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return pause * chance.source().uniform(0.5, 1.0)
