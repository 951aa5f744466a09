"""Candidates in a store that the test simulates, on a mock clock."""

import pytest
import trio
import trio.testing

from swarmcore.stores import SeatElection, SessionLost, StoreError
from swarmcore.testing.contracts.recording import RecordingElectionSink

TTL = 10.0


class Seat:
    """A seat that the first session holds, in a store that answers as the test sets."""

    ttl_seconds = TTL

    def __init__(self):
        self.reachable, self.alive = True, True
        self.hung = False
        self.vacated, self.ended = trio.Event(), trio.Event()
        self.log, self.terms = [], 0

    async def open(self, candidate):
        self._answer()
        self.alive, self.vacated = True, trio.Event()
        self.log.append(f"open for {candidate}")
        return self

    async def watch(self, report):
        self._answer()
        report(None)
        await trio.sleep_forever()

    async def renew(self):
        if self.hung:
            await trio.sleep_forever()
        self._answer()
        if isinstance(self.alive, SessionLost):
            raise self.alive
        return self.alive

    async def acquire(self):
        self._answer()
        self.terms += 1
        return self.terms

    async def wait_lost(self):
        await self.vacated.wait()

    async def release(self):
        self.log.append("release")
        self._answer()
        try:
            if self.hung:
                await trio.sleep_forever()
        finally:
            self.ended.set()

    def _answer(self):
        if not self.reachable:
            # As from a nursery within; a bare one would do.
            raise ExceptionGroup("asking", [StoreError("no answer")])


class Sink(RecordingElectionSink):
    def __init__(self, log):
        super().__init__()
        self.log = log

    def lost(self):
        super().lost()
        self.log.append("lost")


@pytest.fixture
async def standing(autojump_clock):
    """A candidate that leads: its seat, its sink, and the scope of its campaign."""
    seat, scope = Seat(), trio.CancelScope()
    sink = Sink(seat.log)

    async def campaign():
        with scope:
            await SeatElection(seat).campaign("n1:1", sink)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(campaign)
        await sink.wait_until(lambda: sink.leads)
        yield seat, sink, scope
        scope.cancel()


async def test_a_leader_leads_on_for_as_long_as_its_store_answers(standing, autojump_clock):
    seat, sink, _ = standing
    await trio.sleep(100 * TTL)
    assert sink.leads
    assert sink.mandate.until > trio.current_time()
    assert seat.log == ["open for n1:1"]


async def test_an_outage_of_half_the_time_to_live_is_survived(standing, autojump_clock):
    seat, sink, _ = standing
    seat.reachable = False
    await trio.sleep(0.5 * TTL)
    seat.reachable = True
    await trio.sleep(TTL)
    assert sink.leads
    assert len(sink.reigns) == 1


@pytest.mark.parametrize("how", ["reachable", "hung"])
async def test_a_leader_stops_before_the_store_would_let_another_lead(
    standing, how, autojump_clock
):
    seat, sink, _ = standing
    setattr(seat, how, how == "hung")
    cut = trio.current_time()
    await sink.wait_until(lambda: not sink.leads)
    assert sink.reigns[0].ended == sink.mandate.until <= cut + 0.8 * TTL


async def test_a_leader_has_lost_before_it_resigns_in_a_store_that_hangs(standing, autojump_clock):
    seat, sink, _ = standing
    seat.hung = True
    await sink.wait_until(lambda: not sink.leads)
    await trio.testing.wait_all_tasks_blocked()
    assert seat.log == ["open for n1:1", "lost", "release"]


@pytest.mark.parametrize("answer", [False, SessionLost("no such session")], ids=["no", "raised"])
async def test_a_session_that_the_store_has_ended_is_lost_at_the_next_renewal(
    standing, answer, autojump_clock
):
    seat, sink, _ = standing
    seat.alive = answer
    ended = trio.current_time()
    await sink.wait_until(lambda: len(sink.reigns) == 2)
    assert sink.reigns[0].ended <= ended + TTL / 4
    assert sink.reigns[1].term == 2
    assert "the store has ended our session" in sink.failures


async def test_a_seat_that_another_took_is_stood_for_again(standing, autojump_clock):
    seat, sink, _ = standing
    seat.vacated.set()
    await sink.wait_until(lambda: len(sink.reigns) == 2)
    assert seat.log == ["open for n1:1", "lost", "release", "open for n1:1"]
    assert sink.failures == []


async def test_a_stopped_leader_has_lost_at_once_and_waits_two_seconds_for_the_store(
    standing, autojump_clock
):
    seat, sink, scope = standing
    seat.hung = True
    told = trio.current_time()
    scope.cancel()
    await sink.wait_until(lambda: not sink.leads)
    assert sink.reigns[0].ended == told
    await trio.testing.wait_all_tasks_blocked()
    assert seat.log[-1] == "release"
    await seat.ended.wait()
    assert trio.current_time() == told + 2


async def test_an_unchanged_error_is_reported_once(autojump_clock):
    seat = Seat()
    seat.reachable = False
    sink = Sink(seat.log)
    with trio.move_on_after(60):
        await SeatElection(seat).campaign("n1:1", sink)
    # Once of standing, once of watching.
    assert sink.failures == ["no answer"] * 2


async def test_a_process_that_was_stopped_while_it_was_elected_does_not_lead(mock_clock):
    """It learns of the election and of its end at the same moment."""
    seat, elected = Seat(), trio.Event()

    async def acquire():
        await elected.wait()
        return 1

    seat.acquire = acquire
    sink = Sink(seat.log)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(SeatElection(seat).campaign, "n1:1", sink)
        await trio.testing.wait_all_tasks_blocked()
        seat.alive = False
        elected.set()
        mock_clock.jump(2 * TTL)
        await trio.testing.wait_all_tasks_blocked()
        assert sink.reigns == []
        assert seat.log[-1] == "release"
        nursery.cancel_scope.cancel()
