"""Events to many listeners."""

import logging
from dataclasses import replace

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


async def test_a_listener_after_the_end_gets_nothing_and_does_not_wait():
    broadcast = Broadcast()
    broadcast.end()
    async with broadcast.subscribe() as late:
        broadcast.publish(event(1))
        assert await collect(late) == []


async def test_publishing_needs_no_checkpoint():
    broadcast = Broadcast()
    async with broadcast.subscribe() as listener:
        with trio.CancelScope() as scope:  # noqa: ASYNC100 -- there is nothing to cancel: the point
            scope.cancel()
            broadcast.publish(event(1))
        assert not scope.cancelled_caught
        assert (await anext(listener)).time_nano == 1


async def test_an_event_is_handed_over_at_once_while_the_listener_waits(nursery):
    broadcast, taken, given = Broadcast(), [], []
    is_quick = True

    def take(event):
        if is_quick:
            taken.append(event.time_nano)
        return is_quick

    async def listen(listener):
        async for event in listener:
            given.append(event.time_nano)
            await trio.testing.wait_all_tasks_blocked()

    async with broadcast.subscribe() as listener:
        broadcast.publish(event(1))
        listener.deliver_to(take)
        broadcast.publish(event(2))
        nursery.start_soon(listen, listener)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert (given, taken) == ([1, 2], [])
        broadcast.publish(event(3))
        broadcast.publish(event(4))
        assert taken == [3, 4]
        is_quick = False
        broadcast.publish(event(5))
        is_quick = True
        broadcast.publish(event(6))
        assert taken == [3, 4]
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert given == [1, 2, 5, 6]
        broadcast.publish(event(7))
        assert taken == [3, 4, 7]


async def test_a_listener_that_takes_nothing_at_once_lags_like_any_other(nursery):
    broadcast = Broadcast(limit=2)
    async with broadcast.subscribe() as listener:
        listener.deliver_to(lambda event: False)
        for number in range(5):
            broadcast.publish(event(number))
        assert await collect(listener) == [0, 1]


async def test_no_task_wakes_for_an_event_that_all_listeners_take(nursery):
    """Waking a task costs three times as much as sending the event."""
    broadcast, woken = Broadcast(), []

    class Wakes(trio.abc.Instrument):
        def before_task_step(self, task):
            woken.append(task)

    async def listen(*, task_status):
        async with broadcast.subscribe() as listener:
            listener.deliver_to(lambda event: True)
            task_status.started()
            await collect(listener)

    for _ in range(50):
        await nursery.start(listen)
    await trio.testing.wait_all_tasks_blocked()
    trio.lowlevel.add_instrument(Wakes())
    broadcast.publish(event(1))
    await trio.lowlevel.checkpoint()
    broadcast.end()
    assert len(woken) == 1


async def test_a_listener_of_large_events_lags_by_their_size():
    broadcast = Broadcast()
    large = replace(event(1), size=10 << 20)
    async with broadcast.subscribe() as slow, broadcast.subscribe() as quick:
        for _ in range(5):
            broadcast.publish(large)
            assert (await anext(quick)).size == 10 << 20
        assert len(await collect(slow)) == 3


async def test_the_block_of_a_listener_that_takes_nothing_is_left_a_minute_later(autojump_clock):
    broadcast, began = Broadcast(limit=2), trio.current_time()
    async with broadcast.subscribe():
        for number in range(3):
            broadcast.publish(event(number))
        await trio.sleep_forever()
    assert trio.current_time() - began == 60
    assert broadcast.listeners == 0
