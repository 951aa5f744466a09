"""Following a list of engines in a store or elsewhere, also while it cannot be read.

While the store fails, the last good list stays in force.  Engines that are suddenly missing from a
list are handled in ``patience``.
"""

import random
from collections.abc import Awaitable, Callable, Sequence

import trio

from swarmcore.errors import SwarmError, first_error
from swarmcore.protocols import DiscoverySink, Entry
from swarmcore.stores.doubted_lists import Patience
from swarmcore.stores.location import read_entries

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

_NO_LIST = "there is no list yet"

#: Takes the values of all keys, as they are now.
Report = Callable[[Sequence[str]], None]


#: Entries, and what is wrong with others.
Seen = tuple[Sequence[Entry], Sequence[str]]

#: Looks once; may raise ``StoreError``.
Look = Callable[[], Awaitable[Seen]]


def still_in_force(reason: str, *, listed: bool) -> str:
    """The reason for a sink why a list could not be read, and what holds meanwhile.

    Args:
        reason: why not.
        listed: whether there ever was a list.
    """
    return f"{reason}; {'the last good list stays in force' if listed else _NO_LIST}"


def bare_reason(told: str) -> str:
    """The reason alone, out of the text that ``still_in_force`` made."""
    return told.removesuffix(f"; {_NO_LIST}")


class StoreError(SwarmError):
    """A store did not do what it was asked for; the text says which store, and why."""

    status = 503


async def follow(
    watch: Callable[[Report], Awaitable[None]], sink: DiscoverySink, *, hold_seconds: float
) -> None:
    """Report a list to *sink* until cancelled.

    Args:
        watch: reports the values of all keys, now and after each change, until it raises
            ``StoreError``, bare or in a group.  It is called again after a pause; the pause grows
            as long as watches report nothing, or end soon.
        sink: gets the entries; a failure is reported once until its reason changes.
        hold_seconds: for how long a list that became empty is not believed.
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
    """Report a list to *sink* until cancelled, where the source does not announce changes.

    Args:
        look: reads the list; a failure is reported once until its reason changes.
        sink: gets the entries when they, or the problems with some, have changed.
        period_seconds: between two readings.
        hold_seconds: for how long a list that became empty is not believed.
        source: the name of the list in messages.
        whole: whether one reading certainly has the whole list; otherwise a list that misses
            engines is held like an empty one.
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
    """The last report and failure, and the pause before the next watch."""

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
        # A store that cannot be read says nothing about whether it is empty.
        self._patience.stop_doubting()
        if reason != self._failure:
            self._sink.failed(still_in_force(reason, listed=self._patience.is_listed))
        self._failure = reason

    def next_pause(self, lasted_seconds: float) -> float:
        # A store may give the list and yet end each watch at once: the list alone proves nothing.
        if self._reported and lasted_seconds >= _LONGEST_PAUSE_SECONDS:
            self._pause = _FIRST_PAUSE_SECONDS
        self._reported = False
        pause = self._pause
        self._pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return pause * random.uniform(0.5, 1.0)
