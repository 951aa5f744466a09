"""Creates and starts wait for their turn if their number at an engine is limited."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from swarmcore.cluster.placement.engine_create import EngineSlots
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine

CREATE = "/containers/create"


@pytest.fixture
def engine():
    return ScriptedEngine("n1", 1)


@pytest.fixture
def slow(engine):
    """Let creates wait until the event is set."""
    done = trio.Event()
    engine.answer("POST", CREATE, done.wait)
    return done


def names(engine):
    return [detail["Name"] for detail in engine.containers.values()]


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_creates_than_allowed_are_at_one_engine(autojump_clock, engine, limit):
    async with open_fleet(engine, starts=limit) as fleet, trio.open_nursery() as nursery:
        for number in range(9):
            nursery.start_soon(fleet.create, a_config(name=f"c{number}"))
    assert engine.most[CREATE] == limit
    assert len(engine.containers) == 9


async def test_turns_come_in_the_order_of_asking(autojump_clock, engine, slow):
    async with open_fleet(engine, starts=1) as fleet, trio.open_nursery() as nursery:
        for number in range(9):
            nursery.start_soon(fleet.create, a_config(name=f"c{number}"))
            await wait_for(lambda number=number: len(fleet.left_behind()) == number + 1)
            await wait_all_tasks_blocked()
        slow.set()
    assert names(engine) == [f"/c{number}" for number in range(9)]


async def test_a_slow_engine_does_not_delay_others(autojump_clock, engine, slow):
    other = ScriptedEngine("n2", 2)
    async with open_fleet(engine, other, starts=1) as fleet, trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(fleet.create, a_config(name=f"c{number}"))
        await wait_for(lambda: len(other.containers) == 3)
        assert engine.containers == {}
        slow.set()
    assert len(engine.containers) == 3


async def test_without_a_limit_all_creates_are_sent_at_once(autojump_clock, engine, slow):
    async with open_fleet(engine) as fleet, trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(fleet.create, a_config(name=f"c{number}"))
        await wait_for(lambda: engine.now[CREATE] == 20)
        slow.set()


async def test_a_client_that_disconnects_before_its_turn_leaves_nothing_behind(
    autojump_clock, engine, slow
):
    async with open_fleet(engine, starts=1) as fleet, trio.open_nursery() as nursery:
        nursery.start_soon(fleet.create, a_config(name="first"))
        await wait_for(lambda: engine.now[CREATE] == 1)
        with trio.move_on_after(5):
            await fleet.create(a_config(name="second"))
        await wait_all_tasks_blocked()
        assert len(fleet.left_behind()) == 1
        slow.set()
        await wait_for(lambda: names(engine) == ["/first"])
        assert (await fleet.create(a_config(name="second"))).answer.status == 201
        assert engine.paths("POST").count(CREATE) == 2


async def test_a_failed_create_frees_its_turn(autojump_clock, engine):
    async with open_fleet(engine, starts=1) as fleet:
        engine.images = set()
        for number in range(3):
            placed = await fleet.create(a_config("busybox", name=f"c{number}"))
            assert placed.answer.status == 404
        engine.images = {"busybox:latest"}
        assert (await fleet.create(a_config(name="web"))).answer.status == 201


async def test_a_start_waits_for_creates_but_not_for_a_cancelled_one():
    slots = EngineSlots(1)
    await slots.acquire("n1")
    with trio.move_on_after(0):
        async with slots.slot("n1"):
            raise AssertionError("there was no turn to have")
    heard = []

    async def start():
        async with slots.slot("n1"):
            heard.append("start")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start)
        await wait_all_tasks_blocked()
        assert heard == []
        slots.release("n1")
    assert heard == ["start"]
    await slots.acquire("n1")
    slots.release("n1")
