"""A list in a store is followed through failures and sudden emptiness."""

from functools import partial

import pytest
import trio
import trio.testing

from swarmcore.stores import StoreError, follow, poll, read_entries

HOLD = 30.0


class Store:
    """A store that reports lists and failures as a test sets them."""

    def __init__(self):
        self.lists, self._orders = [], trio.open_memory_channel(100)

    async def watch(self, report):
        async for order in self._orders[1]:
            if isinstance(order, Exception):
                raise order
            report(order)

    async def say(self, order):
        await self._orders[0].send(order)
        await trio.testing.wait_all_tasks_blocked()


class Sink:
    def __init__(self):
        self.told = []

    def entries(self, entries, problems):
        self.told.append([str(entry.address) for entry in entries])
        self.problems = problems

    def failed(self, reason):
        self.told.append(reason)


@pytest.fixture
async def store(nursery):
    store = Store()
    store.sink = Sink()

    async def run():
        await follow(store.watch, store.sink, hold_seconds=HOLD)

    nursery.start_soon(run)
    await trio.testing.wait_all_tasks_blocked()
    return store


async def test_each_list_is_reported(store, autojump_clock):
    await store.say(["n1:1"])
    await store.say(["n1:1", "n2:1"])
    assert store.sink.told == [["n1:1"], ["n1:1", "n2:1"]]


async def test_a_store_that_is_empty_from_the_start_is_believed(store, autojump_clock):
    await store.say([])
    assert store.sink.told == [[]]


async def test_a_failure_is_reported_once_and_the_list_followed_again(store, autojump_clock):
    await store.say(["n1:1"])
    for _ in range(3):
        await store.say(StoreError("kv: gone"))
        await trio.sleep(5)
    await store.say(["n2:1"])
    assert store.sink.told == [
        ["n1:1"],
        "kv: gone; the last good list stays in force",
        ["n2:1"],
    ]


async def test_a_watch_that_ends_at_once_after_each_list_is_begun_less_and_less_often(
    nursery, autojump_clock
):
    begun = []

    async def watch(report):
        begun.append(trio.current_time())
        report(["n1:1"])
        raise StoreError("kv: the watch was cancelled")

    nursery.start_soon(partial(follow, watch, Sink(), hold_seconds=HOLD))
    await trio.sleep(60)
    assert 30 <= len(begun) <= 70  # 6 pauses that double from 0.05 s, then 1 to 2 s each


async def test_a_watch_that_lasted_is_begun_again_soon(nursery, autojump_clock):
    begun, ended = [], []

    async def watch(report):
        begun.append(trio.current_time())
        report(["n1:1"])
        await trio.sleep(10)
        ended.append(trio.current_time())
        raise StoreError("kv: gone")

    nursery.start_soon(partial(follow, watch, Sink(), hold_seconds=HOLD))
    await trio.sleep(300)
    assert all(again - end <= 0.05 for end, again in zip(ended, begun[1:], strict=False))
    assert len(ended) >= 29


async def test_a_failure_before_any_list_says_that_there_is_none_yet(store, autojump_clock):
    await store.say(StoreError("kv: gone"))
    assert store.sink.told == ["kv: gone; there is no list yet"]


async def test_a_poll_that_never_found_a_list_says_that_there_is_none_yet(nursery, autojump_clock):
    looks = [StoreError("web: gone"), ([], []), StoreError("web: gone")]

    async def look():
        found = looks.pop(0) if looks else ([], [])
        if isinstance(found, Exception):
            raise found
        return found

    sink = Sink()
    nursery.start_soon(partial(poll, look, sink, period_seconds=1))
    await trio.sleep(2.5)
    assert sink.told == [
        "web: gone; there is no list yet",
        [],
        "web: gone; the last good list stays in force",
    ]


async def test_a_list_that_became_empty_is_believed_after_a_while(store, autojump_clock):
    await store.say(["n1:1"])
    await store.say([])
    await trio.sleep(HOLD - 1)
    assert store.sink.told[1:] == [
        "the store suddenly lists no engines; the missing ones are removed after 30 s"
    ]
    await trio.sleep(2)
    assert store.sink.told[2:] == [[]]


async def test_engines_that_come_back_meanwhile_never_left(store, autojump_clock):
    await store.say(["n1:1"])
    await store.say([])
    await trio.sleep(HOLD - 1)
    await store.say(["n1:1"])
    await trio.sleep(HOLD)
    assert [] not in store.sink.told
    assert store.sink.told[-1] == ["n1:1"]


async def test_a_failure_ends_the_wait_and_the_next_empty_list_begins_it_anew(
    store, autojump_clock
):
    await store.say(["n1:1"])
    await store.say([])
    await trio.sleep(HOLD - 1)
    await store.say(StoreError("kv: gone"))
    await trio.sleep(5)
    await store.say([])
    await trio.sleep(HOLD - 1)
    assert [] not in store.sink.told
    await trio.sleep(2)
    assert store.sink.told[-1] == []


async def test_a_malformed_value_is_reported_with_each_list(store, autojump_clock):
    await store.say(["n1:1", "bad"])
    await store.say(["n1:1", "n2:1", "bad"])
    assert store.sink.told == [["n1:1"], ["n1:1", "n2:1"]]
    assert store.sink.problems == ["entry 'bad': address 'bad': missing port in address"]
    await store.say(["n1:1"])
    assert store.sink.problems == []


async def test_an_empty_list_of_a_poll_is_believed_after_a_while(nursery, autojump_clock):
    looks = [(read_entries(["n1:1"])), ([], []), StoreError("web: gone"), ([], [])]

    async def look():
        found = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(found, Exception):
            raise found
        return found

    sink = Sink()
    watch = partial(poll, look, sink, period_seconds=1, hold_seconds=HOLD, source="web")
    nursery.start_soon(watch)
    await trio.sleep(HOLD)
    assert [] not in sink.told
    assert sink.told[-1] == (
        "web suddenly lists no engines; the missing ones are removed after 30 s"
    )
    await trio.sleep(10)
    assert sink.told[-1] == []
