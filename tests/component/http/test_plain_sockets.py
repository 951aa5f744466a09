"""Plain sockets: their errors, cancellation, and slow receivers that keep nobody waiting."""

import random

import pytest
import trio
import trio.testing

from swarmcore.http.plain_sockets import PlainSocket, quickened
from swarmcore.http.proxy.tunnel import tunnel
from tests.component.http.sockets import read_all

MUCH = 3 << 20


def test_other_streams_stay_as_they_are():
    stream, _ = trio.testing.memory_stream_pair()
    assert quickened(stream) is stream


async def test_a_receive_waits_for_data_and_sees_the_end(pair, nursery):
    ours, theirs = pair()
    assert isinstance(ours, PlainSocket)

    async def later():
        await trio.testing.wait_all_tasks_blocked()
        await theirs.send_all(b"late")
        await theirs.send_eof()

    nursery.start_soon(later)
    assert await ours.receive_some() == b"late"
    assert await ours.receive_some() == b""


async def test_a_receive_can_be_cancelled_though_data_keeps_coming(pair):
    ours, theirs = pair()
    await theirs.send_all(b"x" * 1000)
    with trio.CancelScope() as scope:
        scope.cancel()
        await ours.receive_some()
    assert scope.cancelled_caught
    assert await ours.receive_some() == b"x" * 1000


async def test_a_broken_and_a_closed_connection_have_different_errors(pair, nursery):
    ours, theirs = pair()
    await theirs.aclose()
    with pytest.raises(trio.BrokenResourceError):
        await ours.send_all(b"x")
    assert ours.send_now(b"x") == 0

    async def close():
        await trio.testing.wait_all_tasks_blocked()
        await waiting.aclose()

    waiting, _ = pair()
    nursery.start_soon(close)
    with pytest.raises(trio.ClosedResourceError):
        await waiting.receive_some()
    for use in (waiting.receive_some, lambda: waiting.send_all(b"x")):
        with pytest.raises(trio.ClosedResourceError):
            await use()


async def test_two_tasks_cannot_send_at_once(pair, nursery):
    ours, theirs = pair()
    nursery.start_soon(ours.send_all, bytes(MUCH))
    await trio.testing.wait_all_tasks_blocked()
    assert ours.send_now(b"x") == 0
    with pytest.raises(trio.BusyResourceError):
        await ours.send_all(b"x")
    nursery.start_soon(read_all, theirs)


async def test_a_sender_that_receives_lets_other_tasks_run(pair):
    """An exchange is answered without waiting, so that the receive must let others run."""
    ours, theirs = pair()
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        for _ in range(50):
            await theirs.send_all(b"x")
            assert await ours.receive_some() == b"x"
        nursery.cancel_scope.cancel()
    assert turns > 40


async def test_tunnels_with_slow_receivers_mix_nothing_up(pair):
    """All tunnels receive into one buffer, and what a receiver does not take at once is kept."""
    numbers, seen = range(6), {}

    async def carry(number):
        (client, near), (far, engine) = pair(), pair()
        data = random.Random(number).randbytes(MUCH)

        async def send():
            await client.send_all(data)
            await client.send_eof()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tunnel, near, far)
            nursery.start_soon(send)
            seen[number] = await read_all(engine, pause=0.0002 * number) == data
            await engine.send_eof()

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            for number in numbers:
                nursery.start_soon(carry, number)
    assert seen == dict.fromkeys(numbers, True)
