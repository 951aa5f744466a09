"""Events to many listeners."""

import logging

import trio

from swarmcore.cluster.fanout import Fanout
from swarmcore.model import Event


def event(number):
    return Event("container", "start", str(number), {}, number, "ID", {})


async def collect(subscription):
    return [each.time_nano async for each in subscription]


async def test_every_listener_gets_every_event_from_when_it_began():
    fanout = Fanout()
    async with fanout.subscribe() as early:
        fanout.publish(event(1))
        async with fanout.subscribe() as late:
            fanout.publish(event(2))
            fanout.end()
            assert await collect(early) == [1, 2]
            assert await collect(late) == [2]


async def test_a_listener_that_lags_is_ended_alone_and_logged_once(caplog):
    fanout = Fanout(limit=2)
    async with fanout.subscribe() as slow, fanout.subscribe() as quick:
        with caplog.at_level(logging.WARNING):
            for number in range(5):
                fanout.publish(event(number))
                assert (await anext(quick)).time_nano == number
        assert await collect(slow) == [0, 1]
        assert fanout.listeners == 1
    assert [record.getMessage() for record in caplog.records] == [
        "a client of events lags by 2 events; its stream ends"
    ]


async def test_listeners_are_counted_while_their_block_lasts():
    fanout = Fanout()
    assert fanout.listeners == 0
    async with fanout.subscribe(), fanout.subscribe():
        assert fanout.listeners == 2
    assert fanout.listeners == 0
    fanout.publish(event(1))


async def test_a_waiting_listener_is_released_by_the_end(autojump_clock):
    fanout = Fanout()
    async with fanout.subscribe() as waiting, trio.open_nursery() as nursery:
        nursery.start_soon(collect, waiting)
        await trio.testing.wait_all_tasks_blocked()
        fanout.end()


async def test_who_comes_after_the_end_gets_nothing_and_does_not_wait():
    fanout = Fanout()
    fanout.end()
    async with fanout.subscribe() as late:
        fanout.publish(event(1))
        assert await collect(late) == []


async def test_publishing_is_possible_where_nothing_may_wait():
    fanout = Fanout()
    async with fanout.subscribe() as listener:
        with trio.CancelScope() as scope:  # noqa: ASYNC100 -- there is nothing to cancel: the point
            scope.cancel()
            fanout.publish(event(1))
        assert not scope.cancelled_caught
        assert (await anext(listener)).time_nano == 1
