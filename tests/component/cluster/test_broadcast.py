"""Events to many listeners."""

import logging

import trio

from swarmcore.cluster.broadcast import Broadcast
from swarmcore.model import Event


def event(number):
    return Event("container", "start", str(number), {}, number, "ID", {})


async def collect(subscription):
    return [each.time_nano async for each in subscription]


async def test_every_listener_gets_every_event_from_when_it_began():
    broadcast = Broadcast()
    async with broadcast.subscribe() as early:
        broadcast.publish(event(1))
        async with broadcast.subscribe() as late:
            broadcast.publish(event(2))
            broadcast.end()
            assert await collect(early) == [1, 2]
            assert await collect(late) == [2]


async def test_a_listener_that_lags_is_ended_alone_and_logged_once(caplog):
    broadcast = Broadcast(limit=2)
    async with broadcast.subscribe() as slow, broadcast.subscribe() as quick:
        with caplog.at_level(logging.WARNING):
            for number in range(5):
                broadcast.publish(event(number))
                assert (await anext(quick)).time_nano == number
        assert await collect(slow) == [0, 1]
        assert broadcast.listeners == 1
    assert [record.getMessage() for record in caplog.records] == [
        "a client of events lags by 2 events; its stream ends"
    ]


async def test_listeners_are_counted_while_their_block_lasts():
    broadcast = Broadcast()
    assert broadcast.listeners == 0
    async with broadcast.subscribe(), broadcast.subscribe():
        assert broadcast.listeners == 2
    assert broadcast.listeners == 0
    broadcast.publish(event(1))


async def test_a_waiting_listener_is_released_by_the_end(autojump_clock):
    broadcast = Broadcast()
    async with broadcast.subscribe() as waiting, trio.open_nursery() as nursery:
        nursery.start_soon(collect, waiting)
        await trio.testing.wait_all_tasks_blocked()
        broadcast.end()


async def test_who_comes_after_the_end_gets_nothing_and_does_not_wait():
    broadcast = Broadcast()
    broadcast.end()
    async with broadcast.subscribe() as late:
        broadcast.publish(event(1))
        assert await collect(late) == []


async def test_publishing_is_possible_where_nothing_may_wait():
    broadcast = Broadcast()
    async with broadcast.subscribe() as listener:
        with trio.CancelScope() as scope:  # noqa: ASYNC100 -- there is nothing to cancel: the point
            scope.cancel()
            broadcast.publish(event(1))
        assert not scope.cancelled_caught
        assert (await anext(listener)).time_nano == 1
