"""The meaning of image names, from the lists, events and image dates of engines."""

import pytest
import trio

from swarmcore.http.messages import json_answer
from swarmcore.model import State
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2, 3)]


def has(engine, *versions, name="busybox:latest", other="busybox"):
    """Give the last image of *versions* the name on an engine; the other images have no name."""
    images = [{"Id": f"sha256:{each}", "RepoTags": [], "Created": 1} for each in versions]
    images[-1]["RepoTags"] = [name]
    engine.answer("GET", r"^/images/json", json_answer(images))


def dates(engine, version, tagged, *, made="2020-01-01T00:00:00Z", layers=None):
    document = {"Created": made, "Metadata": {"LastTagTime": tagged}}
    if layers:
        document["RootFS"] = {"Layers": layers}
    engine.answer("GET", rf"^/images/sha256:{version}/json", json_answer(document))


def moved(fleet, engines):
    return [dict(fleet.node(each).moved_names) for each in engines]


async def test_after_a_build_a_create_goes_only_to_engines_with_the_new_image(
    autojump_clock, engines, caplog
):
    caplog.set_level("INFO")
    async with open_fleet(*engines) as fleet:
        has(engines[1], "busybox:latest", "v2")
        engines[1].say("tag", "sha256:v2", kind="image", name="busybox:latest")
        await wait_for(lambda: fleet.node(engines[0]).moved_names)
        former = {"busybox:latest": "sha256:busybox:latest"}
        assert moved(fleet, engines) == [former, {}, former]
        assert fleet.cluster.image_names.ids("busybox") == {"sha256:v2"}
        assert (
            "busybox:latest now means the new image on n2: the older images on n1, n3 are no longer"
            in caplog.text
        )
        for number in range(3):
            placed = await fleet.create(a_config(name=f"c{number}"))
            assert (placed.answer.status, placed.node.name) == (201, "n2")
        assert [len(each.containers) for each in engines] == [0, 3, 0]


async def test_without_an_engine_with_the_image_a_create_reports_it_missing(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        has(engines[1], "busybox:latest", "v2")
        engines[1].say("tag", "sha256:v2", kind="image", name="busybox:latest")
        await wait_for(lambda: fleet.node(engines[0]).moved_names)
        engines[1].kill()
        await wait_for(lambda: fleet.node(engines[1]).state is State.UNHEALTHY)
        answer = (await fleet.create(a_config(name="web"))).answer
        assert (answer.status, answer.message) == (404, "No such image: busybox:latest")
        fleet.discover(engines[0], engines[2])  # it leaves for good
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


async def test_no_image_is_mounted_by_a_name_that_moved_away(autojump_clock, engines):
    for engine in engines:
        engine.images, engine.api_version = {"busybox:latest", "data:1"}, "1.48"
    for number in range(3):  # so that it goes elsewhere
        engines[1].add(f"c{number}")
    async with open_fleet(*engines, alternates=0) as fleet:
        has(engines[1], "v2", name="data:1")
        engines[1].say("tag", "sha256:v2", kind="image", name="data:1")
        await wait_for(lambda: fleet.node(engines[0]).moved_names)
        body = {"HostConfig": {"Mounts": [{"Type": "image", "Source": "data:1", "Target": "/d"}]}}
        placed = await fleet.create(a_config(name="web", body=body))
        assert placed.node.name != "n2"
        assert (placed.answer.status, placed.answer.message) == (404, "No such image: data:1")


async def test_an_event_gives_a_name_to_what_the_engine_called_so_before(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        has(engines[1], "busybox:latest", "v2")
        engines[1].say("tag", "sha256:v2", kind="image", name="busybox:latest")
        await wait_for(lambda: fleet.node(engines[0]).moved_names)
        engines[2].say("pull", "busybox:latest", kind="image", name="busybox")
        await wait_for(lambda: fleet.node(engines[1]).moved_names)
        assert moved(fleet, engines) == [{}, {"busybox:latest": "sha256:v2"}, {}]


async def test_the_managers_own_removal_of_a_name_gives_it_to_no_image(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        has(engines[1], "busybox:latest", "v2")
        engines[1].say("tag", "sha256:v2", kind="image", name="busybox:latest")
        await wait_for(lambda: fleet.node(engines[0]).moved_names)
        node = fleet.node(engines[0])
        with fleet.cluster.image_names.setting_aside(node, ["busybox:latest"]):
            has(engines[0], "busybox:latest", "other")
            engines[0].say("tag", "sha256:other", kind="image", name="busybox:latest")
            await wait_for(lambda: "sha256:other" in node.images)
            await trio.sleep(1)
            assert [bool(each) for each in moved(fleet, engines)] == [True, False, True]
            has(engines[0], "busybox:latest", "other", name="other:1")
            await fleet.cluster.engine(node.id).refresh_images()
        assert [bool(each) for each in moved(fleet, engines)] == [False, False, True]
        assert fleet.cluster.image_names.ids("busybox") == {"sha256:v2"}


async def test_dates_decide_conflicts_that_a_new_manager_finds(autojump_clock, engines, caplog):
    for engine, version, tagged in zip(
        engines,
        ("v1", "v3", "v2"),
        ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00.123456789Z", "0001-01-01T00:00:00Z"),
        strict=True,
    ):
        has(engine, version)
        dates(engine, version, tagged)
    async with open_fleet(*engines) as fleet:
        assert [bool(each) for each in moved(fleet, engines)] == [True, False, True]
        assert fleet.cluster.image_names.ids("busybox") == {"sha256:v3"}
        assert (
            "nodes have different images called busybox:latest: the newest is used" in caplog.text
        )
        assert "n3 has sha256:v2 of 2020-01-01T00:00:00+00:00" in caplog.text


async def test_images_of_one_import_are_one_after_a_restart_too(autojump_clock, engines, caplog):
    for number, engine in enumerate(engines):
        has(engine, f"v{number}")
        dates(engine, f"v{number}", f"2026-01-0{number + 1}T00:00:00Z", layers=["sha256:x"])
    async with open_fleet(*engines) as fleet:
        assert moved(fleet, engines) == [{}, {}, {}]
        assert "dates decide" not in caplog.text


async def test_an_engine_that_hangs_does_not_keep_others_from_joining(autojump_clock, engines):
    async def hang():
        await trio.sleep_forever()

    has(engines[0], "v1")
    engines[0].answer("GET", r"^/images/sha256:v1/json", hang)
    has(engines[1], "v2")
    dates(engines[1], "v2", "2026-01-01T00:00:00Z")
    async with open_fleet(*engines[:2]) as fleet:
        assert moved(fleet, engines[:2]) == [{"busybox:latest": "sha256:v1"}, {}]


async def test_replayed_and_missed_events_give_no_name(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        has(engines[1], "busybox:latest", "v2")
        engines[1].say("tag", "sha256:v2", kind="image", name="busybox:latest")
        await wait_for(lambda: fleet.node(engines[0]).moved_names)
        # Its connection breaks, and it tells of a pull of long ago when it is back.
        engines[2].cut_events()
        engines[2].say("pull", "busybox:latest", kind="image", name="busybox")
        engines[2].asked.clear()
        await wait_for(lambda: "/images/json" in engines[2].paths())
        await trio.sleep(1)
        assert [bool(each) for each in moved(fleet, engines)] == [True, False, True]


async def test_an_answer_to_an_earlier_question_does_not_bring_an_image_back(
    autojump_clock, engines
):
    async with open_fleet(engines[0]) as fleet:
        engine = fleet.cluster.engine(fleet.node(engines[0]).id)

        async def late():
            engines[0].instead.pop(0)
            has(engines[0], "v2")
            await trio.sleep(5)
            return json_answer([{"Id": "sha256:v1", "RepoTags": ["busybox:latest"]}])

        engines[0].answer("GET", r"^/images/json", late)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.refresh_images)
            await trio.sleep(1)
            await engine.refresh_images()
        assert list(engine.node.images) == ["sha256:v2"]
