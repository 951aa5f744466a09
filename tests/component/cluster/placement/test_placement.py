"""Creates: the chosen node, the next node after a failure, and names and claims left behind."""

import json

import pytest
import trio

from swarmcore.errors import Conflict, EngineUnreachable, NoNodeFits
from swarmcore.http.messages import error_answer
from swarmcore.model import GiB, State
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2, 3)]


def created_on(engines):
    """Return the names of the engines that got a create, sorted."""
    return [one.name for one in engines for path in one.paths("POST") if path.endswith("/create")]


# ---- what a create gives


async def test_a_created_container_is_known_before_the_answer(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web", memory=GiB))
        assert placed.answer.status == 201
        assert placed.answer.json()["Warnings"] == ["a warning"]
        container = fleet.cluster.find_container("web")
        assert container.id == placed.answer.json()["Id"]
        assert container.node_id == placed.node.id
        assert container.swarm_id
        assert placed.node.used_memory == GiB
        assert fleet.left_behind() == []
        assert f"placed web on {placed.node.name}" in fleet.listener.heard


async def test_a_nameless_container_gets_a_name(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config())
        name = fleet.cluster.find_container(placed.answer.json()["Id"]).name
        assert "_" in name


async def test_concurrent_creates_are_spread(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(fleet.create, a_config(name=f"c{number}"))
        assert [len(engine.containers) for engine in engines] == [10, 10, 10]


# ---- winners


async def test_a_hundred_creates_of_ten_names_make_ten_containers(autojump_clock, engines):
    statuses, texts = [], set()
    async with open_fleet(*engines) as fleet:

        async def create(name):
            try:
                statuses.append((await fleet.create(a_config(name=name))).answer.status)
            except Conflict as error:
                texts.add(str(error).partition(" by container")[0])
                statuses.append(409)

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(create, f"c{number % 10}")
        assert fleet.left_behind() == []
    assert sorted(statuses) == [201] * 10 + [409] * 90
    assert texts == {
        f'Conflict. The container name "/c{number}" is already in use' for number in range(10)
    }
    names = [detail["Name"] for engine in engines for detail in engine.containers.values()]
    assert sorted(names) == [f"/c{number}" for number in range(10)]


async def test_a_hundred_creates_of_one_port_make_one_container_on_each_node(
    autojump_clock, engines
):
    statuses = []
    async with open_fleet(*engines) as fleet:

        async def create(number):
            try:
                placed = await fleet.create(a_config(name=f"c{number}", ports=["8080:80"]))
                statuses.append(placed.answer.status)
            except NoNodeFits:
                statuses.append(503)

        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(create, number)
    assert sorted(statuses) == [201] * 3 + [503] * 97
    assert [len(engine.containers) for engine in engines] == [1, 1, 1]


async def test_concurrent_creates_never_promise_more_memory_than_there_is(autojump_clock, engines):
    refused = []
    async with open_fleet(engines[0]) as fleet:

        async def create(number):
            try:
                await fleet.create(a_config(name=f"c{number}", memory=3 * GiB))
            except NoNodeFits:
                refused.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(create, number)
    assert len(refused) == 8


async def test_a_name_whose_holder_just_vanished_is_free(autojump_clock, engines):
    web = engines[0].add("web")
    async with open_fleet(*engines) as fleet:
        engines[0].remove(web, quiet=True)
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


async def test_a_name_of_an_unhealthy_engine_stays_taken(autojump_clock, engines):
    engines[0].add("web")
    async with open_fleet(*engines) as fleet:
        engines[0].kill()
        await wait_for(lambda: fleet.node(engines[0]).state is State.UNHEALTHY)
        with pytest.raises(Conflict):
            await fleet.create(a_config(name="web"))


# ---- alternates


async def test_an_unreachable_engine_only_delays_a_create(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        engines[0].kill()
        for number in range(4):
            placed = await fleet.create(a_config(name=f"c{number}"))
            assert placed.node.name != "n1"
        assert fleet.left_behind() == []


async def test_after_a_failure_of_the_node_another_one_is_tried(autojump_clock, engines):
    engines[0].answer("POST", "/create", error_answer(500, "no space left on device"))
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web"))
        assert (placed.answer.status, placed.node.name) == (201, "n2")
        assert fleet.node(engines[0]).container_count == 0


@pytest.mark.parametrize(
    ("answer", "failures"),
    [
        (error_answer(500, "no space left on device"), 1),
        (error_answer(400, "invalid mount config"), 0),
        (error_answer(404, "no such image: busybox"), 0),
    ],
)
async def test_a_failure_of_the_node_is_remembered_for_a_while(
    autojump_clock, engines, answer, failures
):
    engines[0].answer("POST", "/create", answer)
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_config(name="web"))
        assert fleet.failures.recent(fleet.node(engines[0]).id) == pytest.approx(failures, abs=0.1)
        assert fleet.failures.recent(fleet.node(engines[1]).id) == 0
        await trio.sleep(7200)
        assert fleet.failures.recent(fleet.node(engines[0]).id) == 0


async def test_after_the_last_alternate_the_engines_error_is_the_answer(autojump_clock, engines):
    for engine in engines:
        engine.answer("POST", "/create", error_answer(500, "no space left on device"))
    async with open_fleet(*engines, alternates=1) as fleet:
        placed = await fleet.create(a_config(name="web"))
        assert (placed.answer.status, placed.answer.message) == (500, "no space left on device")
        assert len(created_on(engines)) == 2
        assert fleet.left_behind() == []
        for engine in engines:
            engine.instead.clear()
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


@pytest.mark.parametrize(
    "text",
    [
        "does not match the specified platform: wanted linux/arm64, actual: linux/amd64",
        "its platform (linux/amd64) does not match the specified platform (linux/arm64)",
    ],
    ids=["26.1", "28.5"],
)
async def test_an_image_of_another_platform_counts_as_missing(autojump_clock, engines, text):
    wrong = error_answer(404, f"image with reference busybox was found but {text}")
    for engine in engines[:2]:
        engine.answer("POST", "/create.*platform=linux%2Farm64", wrong)
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web", platform="linux/arm64"))
        assert (placed.answer.status, placed.node.name) == (201, "n3")
        assert fleet.left_behind() == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "invalid reference format"),
        (409, "Conflict. The container name"),
        (404, "network nowhere not found"),
        (500, "something else"),
    ],
    ids=str,
)
async def test_an_error_of_the_user_is_answered_at_once_with_the_engines_text(
    autojump_clock, engines, status, message
):
    for engine in engines:
        engine.answer("POST", "/create", error_answer(status, message))
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web"))
        assert (placed.answer.status, placed.answer.message) == (status, message)
        assert len(created_on(engines)) == 1
        assert fleet.left_behind() == []


# ---- outcomes that nobody saw


async def test_a_create_whose_answer_was_lost_is_found_by_its_label(autojump_clock, engines):
    engine = engines[0]

    async def create_and_break():
        target = engine.asked[-1][1]
        body = json.loads(bodies[-1])
        engine._create(target.partition("name=")[2], body)
        raise EngineUnreachable("n1", "reset", sent=True)

    bodies = []
    request = engine.request

    async def remember(method, target, *, body=None, **options):
        bodies.append(body)
        return await request(method, target, body=body, **options)

    engine.request = remember
    engine.answer("POST", "/create", create_and_break)
    async with open_fleet(engine) as fleet:
        placed = await fleet.create(a_config(name="web"))
        assert placed.answer.status == 201
        assert placed.answer.json()["Id"] in engine.containers
        assert len(engine.containers) == 1
        assert fleet.left_behind() == []


async def test_a_lost_create_without_effect_is_tried_on_another_node(autojump_clock, engines):
    async def break_off():
        raise EngineUnreachable("n1", "reset", sent=True)

    engines[0].answer("POST", "/create", break_off)
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web"))
        assert (placed.answer.status, placed.node.name) == (201, "n2")


async def test_a_create_on_an_engine_that_hangs_ends_with_an_unknown_outcome(
    autojump_clock, engines
):
    async with open_fleet(engines[0]) as fleet:
        engines[0].freeze()
        with trio.fail_after(30), pytest.raises(EngineUnreachable, match="is unknown"):
            await fleet.create(a_config(name="web"))
        assert fleet.left_behind() != []
        with pytest.raises(Conflict):
            await fleet.create(a_config(name="web"))
        engines[0].thaw()
        await fleet.wait_healthy(engines[0])
        await trio.sleep(61)
        assert fleet.left_behind() == []
        assert len(engines[0].containers) == 0


async def test_a_create_is_completed_after_its_client_disconnects(autojump_clock, engines):
    slow = trio.Event()

    async def wait():
        await slow.wait()

    engines[0].answer("POST", "/create", wait)
    async with open_fleet(engines[0]) as fleet:
        with trio.move_on_after(1) as client:
            await fleet.create(a_config(name="web"))
        assert client.cancelled_caught
        with pytest.raises(Conflict):
            await fleet.create(a_config(name="web"))
        slow.set()
        await wait_for(lambda: fleet.left_behind() == [], 5)
        assert fleet.cluster.find_container("web").state == "created"


async def test_a_create_whose_engine_leaves_meanwhile_leaves_nothing_behind(
    autojump_clock, engines
):
    async def never():
        await trio.sleep_forever()

    engines[0].answer("POST", "/create", never)
    async with open_fleet(*engines) as fleet:
        async with trio.open_nursery() as nursery:

            async def create():
                with pytest.raises(EngineUnreachable):
                    await fleet.create(a_config(name="web"))

            nursery.start_soon(create)
            await trio.sleep(1)
            fleet.discover(*engines[1:])
        await trio.sleep(100)
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


# ---- restarts


async def test_a_new_manager_knows_all_that_the_old_one_created(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        for number in range(9):
            await fleet.create(a_config(name=f"c{number}", ports=[f"{8080 + number % 3}:80"]))
        before = {c.name: (c.id, c.node_id, c.swarm_id) for c in fleet.cluster.containers()}
    async with open_fleet(*engines) as fleet:
        after = {c.name: (c.id, c.node_id, c.swarm_id) for c in fleet.cluster.containers()}
        assert after == before
        with pytest.raises(Conflict):
            await fleet.create(a_config(name="c3"))
        with pytest.raises(NoNodeFits):
            await fleet.create(a_config(name="c9", ports=["8080:80"]))
