"""An engine is connected, followed, lost and connected again; the clock is trio's mock clock."""

import pytest
import trio
import trio.testing

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import error_answer
from swarmcore.model import State
from swarmcore.versions import ApiVersion
from tests.component.fleets import living, wait_for, wait_for_state


async def test_an_engine_becomes_healthy_with_everything_known(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web", HostConfig={"Memory": 1 << 20})
    dockerd.add("old", state="exited")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        node = engine.node
        assert (node.name, node.id) == ("n1", "ID-n1|192.0.2.1:2375")
        assert {container.name for container in node.containers.values()} == {"web", "old"}
        assert node.containers[web].state == "running"
        assert node.used_memory == 1 << 20
        assert list(node.images) == ["sha256:busybox:latest"]
        assert set(owner.names.values()) == {"web", "old"}
        assert owner.heard == ["admit ID-n1", "joined"]
        assert node.ip == "192.0.2.1"


async def test_events_are_subscribed_to_before_anything_is_listed(autojump_clock, dockerd, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
    paths = dockerd.paths()
    assert paths.index("/events") < paths.index("/containers/json")


async def test_what_happens_while_listing_is_not_lost(autojump_clock, dockerd, owner, engine):
    added = []

    async def list_slowly():
        if not added:
            answer = dockerd._answer("GET", "/containers/json", {}, None)
            added.append(dockerd.add("late"))
            return answer
        return None

    dockerd.answer("GET", "^/containers/json", list_slowly)
    async with living(engine):
        await wait_for(lambda: "late" in owner.names.values(), 5)


async def test_control_calls_use_the_newest_common_version(autojump_clock, dockerd, engine):
    dockerd.api_version = "1.99"
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        assert engine.target("/x") == "/v1.51/x"
        assert engine.target("/x", ApiVersion(1, 30)) == "/v1.30/x"


async def test_an_event_is_published_after_the_cache_has_seen_it(
    autojump_clock, dockerd, owner, engine
):
    states = []
    owner.publish = lambda event: states.append(
        (event.action, engine.node.containers[event.actor_id].state)
    )
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        web = dockerd.add("web", state="created")
        await wait_for(lambda: states)
        dockerd.set_state(web, "running", "start")
        await wait_for(lambda: len(states) == 2)
        dockerd.set_state(web, "exited", "die")
        await wait_for(lambda: len(states) == 3)
    assert states == [("create", "created"), ("start", "running"), ("die", "exited")]


async def test_a_removed_container_is_dropped_with_its_event(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.remove(web)
        await wait_for(lambda: owner.events)
        assert web not in engine.node.containers
        assert owner.names == {}


async def test_a_burst_of_events_costs_few_inspections_and_keeps_its_order(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.asked.clear()
        for number in range(50):
            dockerd.say(f"health_status: {number}", web)
        await wait_for(lambda: len(owner.events) == 50)
    assert [event.action for event in owner.events] == [f"health_status: {n}" for n in range(50)]
    assert dockerd.paths().count(f"/containers/{web}/json") <= 3


@pytest.mark.parametrize("action", ["exec_create: sh", "exec_start: sh", "top", "resize", "attach"])
async def test_an_event_that_changes_nothing_costs_no_question(
    autojump_clock, dockerd, owner, engine, action
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.asked.clear()
        dockerd.say(action, web)
        await wait_for(lambda: owner.events)
        assert dockerd.asked == []


async def test_an_image_event_refreshes_the_images(autojump_clock, dockerd, owner, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.images.add("alpine:latest")
        dockerd.say("pull", "alpine:latest", kind="image")
        await wait_for(lambda: owner.events)
        assert "sha256:alpine:latest" in engine.node.images


async def test_a_reload_of_the_daemon_refreshes_its_labels(autojump_clock, dockerd, owner, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.labels = ["zone=b"]
        dockerd.say("reload", "x", kind="daemon")
        await wait_for(lambda: owner.events)
        assert engine.node.labels["zone"] == "b"


async def test_the_slow_refresh_finds_what_no_event_told(autojump_clock, dockerd, owner, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.add("silent", quiet=True)
        assert 29 < await wait_for(lambda: "silent" in owner.names.values(), 61) < 61


async def test_the_end_of_the_event_stream_alone_is_no_failure(
    autojump_clock, dockerd, owner, engine
):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        await trio.sleep(10)
        dockerd.cut_events()
        dockerd.add("meanwhile", quiet=True)
        await wait_for(lambda: "meanwhile" in owner.names.values(), 5)
        assert engine.node.state is State.HEALTHY
        assert owner.heard == ["admit ID-n1", "joined"]


async def test_events_missed_in_a_gap_are_published_once_and_in_order(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web", quiet=True)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.say("pause", web)
        await wait_for(lambda: owner.events)
        await trio.sleep(10)
        dockerd.cut_events()
        dockerd.say("unpause", web)
        dockerd.say("stop", web)
        await wait_for(lambda: len(owner.events) == 3)
        await trio.sleep(10)
    assert [event.action for event in owner.events] == ["pause", "unpause", "stop"]


async def test_more_events_than_can_wait_cause_a_full_reading(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.asked.clear()
        for number in range(5000):
            dockerd.say(f"health_status: {number}", web)
        dockerd.set_state(web, "exited", quiet=True)
        await wait_for(lambda: "/images/json" in dockerd.paths(), 5)
        await wait_for(lambda: engine.node.containers[web].state == "exited", 5)


async def test_a_broken_volume_driver_does_not_keep_an_engine_away(autojump_clock, dockerd, engine):
    dockerd.answer("GET", "^/volumes", error_answer(500, "driver hangs"))
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY, 5)


async def test_inspections_of_one_engine_run_a_few_at_a_time(autojump_clock, dockerd, engine):
    for number in range(100):
        dockerd.add(f"c{number}")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        assert len(engine.node.containers) == 100
    assert dockerd.most["/containers/ID/json"] == 4


async def test_a_removed_container_is_not_revived_by_a_late_answer(
    autojump_clock, dockerd, owner, engine
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        answered = trio.Event()

        async def answer_late():
            answer = dockerd._answer("GET", f"/containers/{web}/json", {}, None)
            await answered.wait()
            return answer

        dockerd.answer("GET", f"^/containers/{web}/json", answer_late)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.refresh_container, web)
            await trio.sleep(1)
            engine.forget_container(web)
            answered.set()
        assert web not in engine.node.containers


async def test_an_engine_that_leaves_is_disconnected_and_forgotten(
    autojump_clock, dockerd, owner, engine
):
    dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        engine.leave()
        assert engine.node.state is State.DISCONNECTED
        assert owner.names == {}
        assert owner.heard[-2:] == ["lost", "withdraw"]
        with pytest.raises(EngineUnreachable, match="has left the cluster"):
            await engine.call("GET", "/info")
        await trio.sleep(100)
        assert engine.node.state is State.DISCONNECTED
        assert owner.names == {}


async def test_a_stopping_manager_reports_no_lost_engine(autojump_clock, dockerd, owner, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
    assert owner.heard == ["admit ID-n1", "joined"]


async def test_a_call_under_way_ends_when_the_engine_is_found_hung(autojump_clock, dockerd, engine):
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        dockerd.freeze()
        with trio.fail_after(15), pytest.raises(EngineUnreachable) as caught:
            await engine.call("POST", "/containers/create")
        assert caught.value.sent


async def test_a_malformed_answer_does_not_end_the_manager(autojump_clock, dockerd, engine):
    dockerd.answer("GET", "^/containers/json", error_answer(200, "an object, not a list"))
    dockerd.answer("GET", "^/images/json", error_answer(500, "broken"))
    async with living(engine):
        await trio.sleep(60)
        assert engine.node.state is State.PENDING
        dockerd.instead.clear()
        await wait_for_state(engine, State.HEALTHY, 31)
