"""Following a list, in a store or elsewhere, through bad days.

A store that fails keeps the last good list in force; one that is suddenly empty is believed only
after a while, because a store that lost its data looks just like that.
"""

import random
from collections.abc import Awaitable, Callable, Sequence

import trio

from swarmcore.errors import SwarmError, first_error
from swarmcore.protocols import DiscoverySink, Entry
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
    """What a sink is told of a list that could not be read.

    Args:
        reason: why not.
        listed: whether there ever was a list.
    """
    return f"{reason}; {'the last good list stays in force' if listed else _NO_LIST}"


def bare_reason(told: str) -> str:
    """Why there is no list yet, of what ``still_in_force`` made."""
    return told.removesuffix(f"; {_NO_LIST}")


class StoreError(SwarmError):
    """The store did not do what was asked; the text says which one and why."""

    status = 503


async def follow(
    watch: Callable[[Report], Awaitable[None]], sink: DiscoverySink, *, hold_seconds: float
) -> None:
    """Report a list to *sink* until cancelled.

    Args:
        watch: reports the values of all keys, now and after each change, until it raises
            ``StoreError``, bare or in a group; begun again after a pause, which grows unless the
            watch reported and lasted.
        sink: gets the entries; trouble that stays the same is told once.
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


async def poll(look: Look, sink: DiscoverySink, *, period_seconds: float) -> None:
    """Report a list to *sink* until cancelled, where nothing tells of a change.

    Args:
        look: what is there now; trouble that stays the same is told once.
        sink: gets the entries when they, or what is wrong with some, have changed.
        period_seconds: between two looks.
    """
    seen: Seen | str | None = None
    listed = False
    while True:
        try:
            found = await look()
        except StoreError as error:
            if seen != str(error):
                sink.failed(still_in_force(str(error), listed=listed))
            seen = str(error)
        else:
            if found != seen:
                seen, listed = found, True
                sink.entries(*found)
        await trio.sleep(period_seconds)


class _Follower:
    """What was told, and what is waiting to be told."""

    def __init__(self, sink: DiscoverySink, hold_seconds: float, nursery: trio.Nursery) -> None:
        self._sink = sink
        self._hold_seconds = hold_seconds
        self._nursery = nursery
        self._told: Sequence[Entry] = ()
        self._listed = False
        self._failure = ""
        self._pause = _FIRST_PAUSE_SECONDS
        self._reported = False
        self._holding: trio.CancelScope | None = None

    def report(self, values: Sequence[str]) -> None:
        entries, problems = read_entries(values)
        self._failure, self._reported = "", True
        if self._told and not entries:
            if self._holding is None:
                self._holding = trio.CancelScope()
                self._nursery.start_soon(self._hold, self._holding, problems)
            return
        self._end_hold()
        self._tell(entries, problems)

    def failed(self, reason: str) -> None:
        # A store that cannot be read says nothing about whether it is empty.
        self._end_hold()
        if reason != self._failure:
            self._sink.failed(still_in_force(reason, listed=self._listed))
        self._failure = reason

    def next_pause(self, lasted_seconds: float) -> float:
        # A store may give the list and yet end each watch at once: the list alone proves nothing.
        if self._reported and lasted_seconds >= _LONGEST_PAUSE_SECONDS:
            self._pause = _FIRST_PAUSE_SECONDS
        self._reported = False
        pause = self._pause
        self._pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return pause * random.uniform(0.5, 1.0)

    def _tell(self, entries: Sequence[Entry], problems: Sequence[str]) -> None:
        self._told, self._listed = entries, True
        self._sink.entries(entries, problems)

    def _end_hold(self) -> None:
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None

    async def _hold(self, scope: trio.CancelScope, problems: Sequence[str]) -> None:
        self._sink.failed(
            f"the store lists no engine any more; believed after {self._hold_seconds:g} s"
        )
        with scope:
            await trio.sleep(self._hold_seconds)
            self._holding = None
            self._tell([], problems)
