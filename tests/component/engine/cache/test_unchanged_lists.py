"""A list that has only aged is not decoded again, and whatever else differs in it is found."""

import pytest
import trio

from swarmcore.engine.cache import answers, refresh
from swarmcore.engine.client import EngineClient
from swarmcore.model import State
from tests.component.fleets import living, wait_for, wait_for_state

CONTAINERS, IMAGES = "/containers/json?all=1", "/images/json?all=1"


@pytest.fixture
def decoded(monkeypatch):
    """The paths of the answers that were decoded."""
    decoded, read_answer = [], refresh.read_answer

    async def read(engine, path, answer, kind):
        decoded.append(path)
        return await read_answer(engine, path, answer, kind)

    for module in (answers, refresh):
        monkeypatch.setattr(module, "read_answer", read)
    return decoded


async def test_lists_that_only_age_are_decoded_once(autojump_clock, dockerd, engine, decoded):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        await trio.sleep(1200)
        assert dockerd.paths().count("/containers/json") > 20
        lists = (CONTAINERS, IMAGES, "/networks", "/volumes")
        assert {path: decoded.count(path) for path in lists} == dict.fromkeys(lists, 1)
        changes = engine.node.image_changes
        dockerd.say("pause", web)
        await trio.sleep(1200)
        assert decoded.count(CONTAINERS) == 2
        assert engine.node.image_changes == changes


async def test_the_lists_of_a_refresh_are_asked_for_at_once(
    autojump_clock, dockerd, engine, monkeypatch
):
    dockerd.add("web")
    batches, get_several = [], EngineClient.get_several

    async def counted(self, targets, *, seconds):
        batches.append([target.partition("?")[0].rpartition("/")[2] for target in targets])
        return await get_several(self, targets, seconds=seconds)

    monkeypatch.setattr(EngineClient, "get_several", counted)
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        batches.clear()
        before = dockerd.paths().count("/networks")
        await trio.sleep(1200)
        assert dockerd.paths().count("/networks") - before == len(batches) > 20
        assert all(len(batch) == 4 for batch in batches)


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        (
            lambda dockerd, web: dockerd.set_state(web, "exited", quiet=True),
            lambda node, web: node.containers[web].state == "exited",
        ),
        (
            lambda dockerd, web: dockerd.remove(web, quiet=True),
            lambda node, web: not node.containers,
        ),
        (
            lambda dockerd, web: dockerd.add("db", quiet=True),
            lambda node, web: len(node.containers) == 2,
        ),
        (
            lambda dockerd, web: dockerd.images.add("silent:1"),
            lambda node, web: node.image_called("silent:1"),
        ),
    ],
    ids=["a state", "a removal", "a container", "an image"],
)
async def test_a_change_without_an_event_is_found_after_many_equal_lists(
    autojump_clock, dockerd, engine, change, is_found
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        await trio.sleep(600)
        change(dockerd, web)
        assert await wait_for(lambda: is_found(engine.node, web), 61) > 0.1


async def test_an_equal_list_corrects_a_cache_that_has_changed_since(
    autojump_clock, dockerd, engine
):
    web = dockerd.add("web")
    async with living(engine):
        await wait_for_state(engine, State.HEALTHY)
        await trio.sleep(600)
        dockerd.set_state(web, "paused", quiet=True)
        dockerd.say("pause", web)
        await wait_for(lambda: engine.node.containers[web].state == "paused", 5)
        dockerd.set_state(web, "running", quiet=True)
        await wait_for(lambda: engine.node.containers[web].state == "running", 61)
