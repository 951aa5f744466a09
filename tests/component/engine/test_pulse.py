"""When the shared timer pings an engine, and when it hands the engine back to its own task."""

from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio

from swarmcore.engine.intervals import Pace
from swarmcore.engine.pulse import Pulse
from swarmcore.node import Node


class Answer:
    """A probe with a given result."""

    def __init__(self, result):
        self.result = result
        self.is_closed = False

    def look(self):
        return self.result

    def close(self):
        self.is_closed = True


class Engine:
    """An engine whose probes answer at once, until ``result`` is changed."""

    label = "n1"

    def __init__(self):
        self.node = Node("n1", "n1:2375")
        self.last_contact = trio.current_time()
        self.result = True
        self.is_connected = True
        self.probes = []
        self.pinged_at = []
        self.unanswered = []

    def probe(self):
        if not self.is_connected:
            return None
        self.pinged_at.append(trio.current_time())
        self.probes.append(Answer(self.result))
        return self.probes[-1]

    def contacted(self):
        self.last_contact = trio.current_time()

    def lost_contact(self, error):
        self.unanswered.append(str(error))


@pytest.fixture
async def pulse(nursery):
    pulse = Pulse()
    nursery.start_soon(pulse.run)
    return pulse


@asynccontextmanager
async def pinging(pulse, *engines):
    """Ping engines during the block; yields the engines that were handed back."""
    doubted = []

    async def ping(engine):
        await pulse.until_doubtful(engine, Pace(), 2.5)
        doubted.append(engine)

    async with trio.open_nursery() as nursery:
        for engine in engines:
            nursery.start_soon(ping, engine)
        yield doubted
        nursery.cancel_scope.cancel()


async def test_silent_engines_are_pinged_within_every_three_seconds(autojump_clock, pulse):
    engines = [Engine() for _ in range(3)]
    async with pinging(pulse, *engines) as doubted:
        began = trio.current_time()
        await trio.sleep(60)
        for engine in engines:
            moments = [began, *engine.pinged_at]
            waits = [later - before for before, later in pairwise(moments)]
            assert all(2.1 <= wait <= 3 for wait in waits)
            assert len(waits) >= 20
        assert not doubted


async def test_an_engine_that_speaks_is_not_pinged(autojump_clock, pulse):
    engine = Engine()
    async with pinging(pulse, engine) as doubted:
        for _ in range(60):
            await trio.sleep(1)
            engine.contacted()
        assert not engine.pinged_at
        await trio.sleep(3)
        assert engine.pinged_at
        assert not doubted


async def test_a_ping_without_an_answer_counts_after_its_time_limit(autojump_clock, pulse):
    engine = Engine()
    async with pinging(pulse, engine) as doubted:
        engine.result = None
        began = trio.current_time()
        while not doubted:  # noqa: ASYNC110  (the clock is a mock)
            await trio.sleep(0.01)
        assert trio.current_time() - began < 3 + 3 + 0.5
        assert engine.unanswered == ["engine n1 did not answer within 3 s"]
        assert engine.probes[-1].is_closed


async def test_an_answer_may_take_almost_as_long_as_the_time_limit(autojump_clock, pulse):
    engine = Engine()
    engine.result = None
    async with pinging(pulse, engine) as doubted:
        while not engine.probes:  # noqa: ASYNC110  (the clock is a mock)
            await trio.sleep(0.01)
        await trio.sleep(2.5)
        engine.result = engine.probes[0].result = True
        await trio.sleep(10)
        assert len(engine.probes) > 2
        assert not engine.unanswered
        assert not doubted


@pytest.mark.parametrize("why", ["a broken connection", "no connection", "failures"])
async def test_an_engine_is_handed_back_without_a_failure(autojump_clock, pulse, why):
    engine = Engine()
    engine.result = False
    engine.is_connected = why != "no connection"
    engine.node.failures = int(why == "failures")
    async with pinging(pulse, engine) as doubted:
        await trio.sleep(3)
        assert doubted == [engine]
        assert not engine.unanswered
        assert len(engine.probes) == (why == "a broken connection")
        await trio.sleep(60)
        assert len(engine.probes) <= 1


async def test_the_ping_of_an_engine_that_leaves_is_given_up(autojump_clock, pulse):
    engine = Engine()
    engine.result = None
    async with pinging(pulse, engine):
        while not engine.probes:  # noqa: ASYNC110  (the clock is a mock)
            await trio.sleep(0.01)
    assert engine.probes[0].is_closed
    await trio.sleep(60)
    assert len(engine.probes) == 1
    assert not engine.unanswered
