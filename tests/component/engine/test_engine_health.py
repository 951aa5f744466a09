"""When an engine counts as healthy, unhealthy or pending; the clock is trio's mock clock."""

import pytest
import trio
import trio.testing

from swarmcore.engine.intervals import Pace
from swarmcore.errors import EngineUnreachable
from swarmcore.model import State
from tests.component.fleets import Recorder, living, make_engine, wait_for, wait_for_state


async def test_a_killed_engine_is_unhealthy_within_seconds_and_keeps_its_containers(
    autojump_clock, dockerd, owner, engine
):
    dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.kill()
        assert await wait_for_state(engine, State.UNHEALTHY) < 5
        assert "Cannot connect to 192.0.2.1:2375" in engine.node.error
        assert list(owner.names.values()) == ["web"]
        assert owner.heard[-1] == "lost"


class LosesIt(Recorder):
    """Loses contact with the engine while its stale containers are removed for the second time."""

    async def clear_duplicates(self, engine):
        self.heard.append("cleared")
        if self.heard.count("cleared") == 2:
            for number in range(3):
                engine.lost_contact(EngineUnreachable(engine.label, f"no answer {number}"))


async def test_an_engine_that_is_lost_just_before_it_would_be_healthy_connects_anew(
    autojump_clock, dockerd
):
    owner = LosesIt()
    engine = make_engine(dockerd, owner)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.cut_events()
        await wait_for(lambda: owner.heard.count("cleared") > 1)
        await wait_for_state(engine, State.HEALTHY)
    lost = owner.heard.index("lost")
    assert owner.heard[lost : lost + 3] == ["lost", "cleared", "joined again"], owner.heard


async def test_a_killed_engine_that_returns_is_healthy_within_seconds_with_news_known(
    autojump_clock, dockerd, owner, engine
):
    dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.kill()
        await wait_for_state(engine, State.UNHEALTHY)
        await trio.sleep(3600)
        dockerd.start()
        dockerd.add("news", quiet=True)
        assert await wait_for_state(engine, State.HEALTHY) < 6
        assert sorted(owner.names.values()) == ["news", "web"]
        assert owner.heard[-1] == "joined again"
        assert engine.node.failures == 0
        assert engine.node.error == ""


async def test_a_hung_engine_without_traffic_is_unhealthy_within_fifteen_seconds(
    autojump_clock, dockerd, engine
):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.freeze()
        assert await wait_for_state(engine, State.UNHEALTHY) < 15
        dockerd.thaw()
        assert await wait_for_state(engine, State.HEALTHY) < 6


async def test_contact_on_the_data_path_brings_an_unhealthy_engine_back_at_once(
    autojump_clock, dockerd, owner
):
    engine = make_engine(dockerd, owner, pace=Pace(unhealthy_limit_seconds=600))
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.kill()
        await wait_for_state(engine, State.UNHEALTHY)
        await trio.sleep(2000)
        dockerd.start()
        engine.contacted()
        assert await wait_for_state(engine, State.HEALTHY) < 1


async def test_a_pending_engine_is_retried_soon_then_less_often(
    autojump_clock, dockerd, owner, engine
):
    dockerd.kill()
    async with living(engine):
        await trio.sleep(0.5)
        assert engine.node.state is State.PENDING
        assert "Cannot connect" in engine.node.error
        dockerd.start()
        assert await wait_for_state(engine, State.HEALTHY) < 2
    late = make_engine(dockerd, owner)
    dockerd.kill()
    async with living(late):
        await trio.sleep(3600)
        dockerd.start()
        assert await wait_for_state(late, State.HEALTHY) <= 31


async def test_an_engine_that_never_answers_is_logged_once_for_each_reason(
    autojump_clock, caplog, dockerd, engine
):
    dockerd.kill()
    async with living(engine):
        await trio.sleep(3600)
        dockerd.memory = 0
        dockerd.start()
        await trio.sleep(3600)
    told = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(told) == 2
    assert "192.0.2.1:2375 is pending: Cannot connect" in told[0]
    assert "is pending: cannot get resources" in told[1]


async def test_another_server_stays_pending_with_classics_text(autojump_clock, dockerd, engine):
    dockerd.memory = 0
    async with living(engine):
        await trio.sleep(0.5)
        assert engine.node.state is State.PENDING
        assert engine.node.error == (
            "cannot get resources for this engine, make sure 192.0.2.1:2375 is a Docker Engine,"
            " not a Swarm manager"
        )
        dockerd.memory = 1 << 30
        assert await wait_for_state(engine, State.HEALTHY) < 5


async def test_an_engine_with_another_id_is_validated_again_as_a_new_one(
    autojump_clock, dockerd, owner, engine
):
    old = dockerd.add("old")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.kill()
        dockerd.remove(old, quiet=True)
        dockerd.engine_id = "ID-other"
        dockerd.start()
        dockerd.add("new", quiet=True)
        await wait_for_state(engine, State.PENDING, 5)
        assert engine.node.error.startswith(
            "Engine (ID: ID-n1, Addr: 192.0.2.1:2375) shows up with another ID:ID-other."
        )
        assert owner.names == {}
        await wait_for_state(engine, State.HEALTHY, 5)
        assert engine.node.id == "ID-other|192.0.2.1:2375"
        assert list(owner.names.values()) == ["new"]
    assert [word.split()[0] for word in owner.heard] == [
        "admit", "joined", "lost", "withdraw", "admit", "joined",
    ]  # fmt: skip


async def test_timeouts_of_calls_count_as_failures(autojump_clock, dockerd, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)

        async def never():
            await trio.sleep_forever()

        dockerd.answer("GET", "^/slow", never)
        with pytest.raises(EngineUnreachable, match="n1 did not answer within 30 s") as caught:
            await engine.call("GET", "/slow")
        assert caught.value.sent
        assert engine.node.failures == 1
        await wait_for(lambda: engine.node.failures == 0, 5)
        assert engine.node.state is State.HEALTHY


async def end_by_hanging(dockerd, engine):
    dockerd.freeze()
    await wait_for_state(engine, State.UNHEALTHY)


async def end_by_leaving(dockerd, engine):
    engine.leave()


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (end_by_hanging, "engine n1 does not answer any more"),
        (end_by_leaving, "engine n1 has left the cluster"),
    ],
)
async def test_a_call_that_is_ended_early_says_why_and_no_time(
    autojump_clock, dockerd, engine, nursery, end, reason
):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.answer("GET", "^/slow", trio.sleep_forever)

        async def hurry():
            await trio.testing.wait_all_tasks_blocked()
            await end(dockerd, engine)

        nursery.start_soon(hurry)
        with pytest.raises(EngineUnreachable) as caught:
            await engine.call("GET", "/slow")
        assert str(caught.value) == reason
        assert caught.value.sent


async def test_one_failure_reported_twice_counts_once(autojump_clock, dockerd, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        error = EngineUnreachable("n1", "reset")
        engine.lost_contact(error)
        engine.lost_contact(error)
        assert engine.node.failures == 1
