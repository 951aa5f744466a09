"""A simulation can replace the clocks, the random numbers and the threads of the product."""

import threading

import pytest

from swarmcore import chance, clock, threads


def test_clocks_can_be_replaced():
    with clock.replaced(lambda: 1_600_000_000_500_000_000, lambda: 7.0):
        assert clock.unix_seconds() == 1_600_000_000.5
        assert clock.unix_nanoseconds() == 1_600_000_000_500_000_000
        assert clock.local_time().timestamp() == 1_600_000_000.5
        assert clock.stopwatch() == 7.0
    assert clock.unix_seconds() > 1_700_000_000
    assert abs(clock.unix_nanoseconds() / 1e9 - clock.unix_seconds()) < 60


def test_a_seed_repeats_choices_and_ids():
    def draw(seed):
        with chance.seeded(seed):
            return chance.source().random(), chance.token_hex(32)

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_ids_have_the_size_that_is_asked_for_and_differ():
    ids = {chance.token_hex(4) for _ in range(100)}
    assert {len(id) for id in ids} == {8}
    assert len(ids) > 90


async def test_work_runs_in_a_thread_unless_threads_are_avoided():
    assert await threads.in_thread(threading.current_thread) is not threading.current_thread()
    with threads.avoided():
        assert await threads.in_thread(threading.current_thread) is threading.current_thread()


async def test_errors_of_work_reach_its_caller_without_a_thread():
    with threads.avoided(), pytest.raises(ValueError, match="invalid"):
        await threads.in_thread(int, "x")
