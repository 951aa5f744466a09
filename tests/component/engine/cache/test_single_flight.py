"""Concurrent readers share a read, and none gets a result that is older than its request."""

import gc
import weakref

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from swarmcore.engine.cache.single_flight import CachedList, SingleFlight
from swarmcore.errors import EngineError

MOMENTS = st.lists(st.integers(0, 30), min_size=1, max_size=12)
LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=12)


@given(moments=MOMENTS, lengths=LENGTHS)
def test_a_read_after_a_change_contains_the_change(moments, lengths):
    """Changes happen at *moments*; the reads take *lengths*, in turn."""
    changes, seen, reads = set(), {}, []

    async def read():
        found = frozenset(changes)  # as an engine looks at its state when it is asked
        reads.append(trio.current_time())
        await trio.sleep(lengths[len(reads) % len(lengths)])
        seen["now"] = found

    async def change(number, moment, fresh):
        await trio.sleep(moment)
        changes.add(number)
        await fresh()
        assert number in seen["now"]

    async def main():
        fresh = SingleFlight(read)
        async with trio.open_nursery() as nursery:
            for number, moment in enumerate(moments):
                nursery.start_soon(change, number, moment, fresh)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert len(reads) <= len(moments)


async def test_many_readers_share_the_current_read_and_one_more(autojump_clock):
    reads = []

    async def read():
        reads.append(trio.current_time())
        await trio.sleep(1)

    fresh = SingleFlight(read)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fresh)
        await trio.sleep(0.5)
        for _ in range(100):
            nursery.start_soon(fresh)
    assert len(reads) == 2


class Held:
    """An object of a caller."""


async def test_a_failure_and_what_its_callers_hold_is_not_kept(autojump_clock):
    async def read():
        await trio.sleep(1)
        raise EngineError("n1", "no answer")

    kept = []

    async def ask(fresh):
        held = Held()
        kept.append(weakref.ref(held))
        with pytest.raises(EngineError):
            await fresh()

    fresh = SingleFlight(read)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask, fresh)
    gc.collect()
    assert len(kept) == 3
    assert [each() for each in kept] == [None] * 3


async def test_a_cancelled_reader_does_not_disturb_others(autojump_clock):
    reads = []

    async def read():
        reads.append(trio.current_time())
        await trio.sleep(1)

    fresh = SingleFlight(read)
    with trio.move_on_after(0.5):
        await fresh()
    await fresh()
    assert reads == [0, 0.5]
    assert fresh.is_idle


async def test_a_failure_is_raised_for_all_readers_of_the_read(autojump_clock):
    reads, told = [], []

    async def read():
        reads.append(trio.current_time())
        await trio.sleep(1)
        raise EngineError("n1", "gone")

    async def ask(fresh):
        with pytest.raises(EngineError) as caught:
            await fresh()
        told.append(caught.value)

    fresh = SingleFlight(read)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, fresh)
        await trio.sleep(0.5)
        for _ in range(4):
            nursery.start_soon(ask, fresh)
    assert len(told) == 5
    assert len(reads) == 2


@given(
    told=st.lists(
        st.tuples(st.integers(0, 20), st.sampled_from("abc"), st.booleans()), max_size=12
    ),
    asked=MOMENTS,
)
def test_a_late_list_never_reverts_a_recorded_change(told, asked):
    """Objects are made and removed, and recorded at once, while lists are being read."""
    held, shown = {}, {}

    async def ask():
        found = dict(held)
        await trio.sleep(3)
        return found

    def show(objects):
        shown.clear()
        shown.update(objects)

    async def main():
        listing = CachedList(ask, show)

        async def read(moment):
            await trio.sleep(moment)
            await listing.read()

        async def change(moment, key, made):
            await trio.sleep(moment)
            if made:
                held[key] = {"since": trio.current_time()}
                listing.put(key, held[key])
            else:
                held.pop(key, None)
                listing.drop(key)
            assert shown == held

        async with trio.open_nursery() as nursery:
            for moment in asked:
                nursery.start_soon(read, moment)
            for each in told:
                nursery.start_soon(change, *each)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert shown == held
