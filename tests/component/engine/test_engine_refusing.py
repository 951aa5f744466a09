"""An engine that refuses new connections gets no containers; open connections stay."""

import pytest
import trio

from swarmcore.errors import EngineUnreachable
from swarmcore.model import State
from tests.component.fleets import living, wait_for, wait_for_state


def refuse(dockerd):
    """Refuse new connections; event streams and calls in progress continue."""
    dockerd.up = False


def actions(owner):
    return [event.action for event in owner.events]


async def test_events_are_published_while_connections_are_refused(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web", quiet=True)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        refuse(dockerd)
        assert await wait_for_state(engine, State.UNHEALTHY) < 5
        for action in ("kill", "die", "stop"):
            dockerd.say(action, web)
            await trio.sleep(10)
        assert actions(owner) == ["kill", "die", "stop"]
        assert engine.node.state is State.UNHEALTHY


async def test_an_event_does_not_make_up_for_refusals(autojump_clock, dockerd, owner, engine):
    web = dockerd.add("web", quiet=True)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        refuse(dockerd)
        for _ in range(20):
            dockerd.say("die", web)
            await trio.sleep(0.5)
        assert engine.node.state is State.UNHEALTHY
        assert len(owner.events) == 20


async def test_a_call_in_progress_is_answered(autojump_clock, dockerd, engine, nursery):
    going, answers = trio.Event(), []

    async def answer_late():
        await going.wait()

    async def call():
        answers.append(await engine.call("GET", "/version"))

    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.answer("GET", "^/version", answer_late)
        nursery.start_soon(call)
        await trio.sleep(0.1)
        refuse(dockerd)
        await wait_for_state(engine, State.UNHEALTHY)
        going.set()
        await wait_for(lambda: answers, 5)


async def test_a_returning_engine_repeats_no_event(autojump_clock, dockerd, owner, engine):
    web = dockerd.add("web", quiet=True)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.say("pause", web)
        refuse(dockerd)
        await wait_for_state(engine, State.UNHEALTHY)
        dockerd.say("unpause", web)
        await wait_for(lambda: len(owner.events) == 2)
        dockerd.up = True
        await wait_for_state(engine, State.HEALTHY, 10)
        dockerd.say("stop", web)
        await trio.sleep(10)
        assert actions(owner) == ["pause", "unpause", "stop"]
        assert len(dockerd.subscriptions) == 1


async def test_waiting_events_are_published_if_the_cache_cannot_be_read(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web", quiet=True)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.answer("GET", "^/containers/json", trio.sleep_forever)
        dockerd.say("die", web)
        await trio.sleep(1)
        dockerd.say("stop", web)
        refuse(dockerd)
        await wait_for(lambda: actions(owner) == ["die", "stop"], 60)


async def test_a_silent_engine_is_no_longer_followed(
    autojump_clock, dockerd, owner, engine, nursery
):
    web = dockerd.add("web", quiet=True)
    ended = []

    async def call():
        with pytest.raises(EngineUnreachable, match="does not answer any more"):
            await engine.call("POST", "/slow")
        ended.append(trio.current_time())

    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.answer("POST", "^/slow", trio.sleep_forever)
        nursery.start_soon(call)
        await trio.sleep(1)
        dockerd.freeze()
        await wait_for_state(engine, State.UNHEALTHY)
        await wait_for(lambda: ended, 1)
        assert dockerd.subscriptions == []
        dockerd.say("die", web)
        await trio.sleep(1)
        assert owner.events == []


async def test_a_removed_engine_is_no_longer_followed(autojump_clock, dockerd, owner, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        refuse(dockerd)
        await wait_for_state(engine, State.UNHEALTHY)
        engine.leave()
        await wait_for(lambda: dockerd.subscriptions == [], 1)
