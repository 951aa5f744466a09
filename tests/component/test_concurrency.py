"""Supervised work is restarted after failures, with pauses that grow and are reset."""

import logging

import pytest
import trio
import trio.testing

from swarmcore.concurrency import supervise


class Work:
    """Fails after each of the given numbers of seconds, then returns."""

    def __init__(self, *seconds):
        self._seconds = list(seconds)
        self.pauses = []
        self._failed = None

    async def __call__(self):
        if self._failed is not None:
            self.pauses.append(trio.current_time() - self._failed)
        if not self._seconds:
            return
        await trio.sleep(self._seconds.pop(0))
        self._failed = trio.current_time()
        raise ValueError("broken by design")


@pytest.mark.parametrize(
    ("lasts", "pauses"),
    [
        pytest.param([], [], id="work that returns is done"),
        pytest.param([0], [1], id="one failure"),
        pytest.param([0, 0, 0], [1, 2, 4], id="the pause doubles"),
        pytest.param([0] * 8, [1, 2, 4, 8, 16, 32, 60, 60], id="up to a minute"),
        pytest.param([0, 0, 3600, 0], [1, 2, 1, 2], id="work that ran long has recovered"),
    ],
)
async def test_failed_work_is_begun_again(autojump_clock, lasts, pauses):
    work = Work(*lasts)
    await supervise("discovery", work)
    assert work.pauses == pytest.approx(pauses)


async def test_a_failure_is_logged_with_the_name_the_pause_and_the_trace(autojump_clock, caplog):
    await supervise("discovery", Work(0))
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "discovery failed; trying again in 1 s"
    assert "broken by design" in str(record.exc_info[1])


@pytest.mark.parametrize("lasts", [3600, 0], ids=["at work", "in the pause"])
async def test_cancellation_passes(autojump_clock, lasts):
    with trio.move_on_after(0.5) as scope:
        await supervise("discovery", Work(lasts, 3600))
    assert scope.cancelled_caught


async def test_a_group_of_failures_is_a_failure(autojump_clock):
    attempts = []

    async def work():
        attempts.append(trio.current_time())
        if len(attempts) == 1:
            raise ExceptionGroup("two", [ValueError(), KeyError()])

    await supervise("discovery", work)
    assert len(attempts) == 2
