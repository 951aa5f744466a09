"""A link that comes and goes: attempts to connect are few, and those of many engines are spread."""

from random import Random

import pytest
import trio

from swarmcore.engine.intervals import Pace
from swarmcore.model import State
from tests.component.fleets import Recorder, living, make_engine, wait_for_state
from tests.scripted_engine import ScriptedEngine


class CountedEngine(ScriptedEngine):
    """``tried`` has the time of each attempt to connect, also of those that fail."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.tried = []

    async def request(self, method, target, **options):
        if target.endswith("/version"):
            self.tried.append(round(trio.current_time(), 3))
        return await super().request(method, target, **options)


@pytest.fixture
def dockerd():
    return CountedEngine("n1")


@pytest.mark.parametrize(("up", "down"), [(1, 1), (7, 1), (0.1, 3)])
async def test_a_link_that_flaps_is_tried_at_most_every_other_second(
    autojump_clock, dockerd, owner, engine, up, down
):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.tried.clear()
        began = trio.current_time()
        while trio.current_time() - began < 120:
            dockerd.kill()
            await trio.sleep(down)
            dockerd.start()
            await trio.sleep(up)
        assert 15 <= len(dockerd.tried) <= 60
        await wait_for_state(engine, State.HEALTHY)


async def test_an_event_stream_that_ends_at_once_is_opened_ever_more_seldom(
    autojump_clock, dockerd, engine
):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.tried.clear()
        with trio.move_on_after(120):
            while True:
                dockerd.cut_events()
                await trio.sleep(0.05)
        assert 20 <= len(dockerd.tried) <= 40


async def test_engines_that_were_lost_together_are_not_tried_together(autojump_clock):
    scripted = [CountedEngine(f"n{number}", number) for number in range(1, 51)]
    owner, engines = Recorder(), []
    for number, one in enumerate(scripted):
        engines.append(make_engine(one, owner, random=Random(number)))
    async with living(*engines):
        for each in engines:
            await wait_for_state(each, State.HEALTHY)
        for one in scripted:
            one.kill()
        await trio.sleep(60)
        for one in scripted:
            one.tried.clear()
        await trio.sleep(2 * Pace().unhealthy_limit_seconds)
    tried = [moment for one in scripted for moment in one.tried]
    assert 100 <= len(tried) <= 150  # each engine is tried every four to five seconds
    assert max(map(tried.count, tried)) <= 3
