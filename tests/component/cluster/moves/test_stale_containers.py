"""Engines that come back with containers that were moved meanwhile."""

import trio

from swarmcore.http.messages import error_answer
from swarmcore.model import State
from tests.component.cluster.moves.moving import add, come_back, holders, known, lose
from tests.component.fleets import open_fleet, wait_for


async def test_the_stale_container_is_removed_before_its_engine_is_healthy(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await fleet.cluster.moves.move(original)
        states = []

        async def note():
            states.append(fleet.node(engines[0]).state)

        engines[0].answer("DELETE", original.id, note)
        await come_back(fleet, engines[0])
        assert State.HEALTHY not in states
        assert states
        assert original.id not in engines[0].containers
        assert list(holders(engines).values()) == ["running"]


async def test_an_engine_that_keeps_the_stale_container_does_not_become_healthy(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await fleet.cluster.moves.move(original)
        engines[0].answer("DELETE", original.id, error_answer(500, "device or resource busy"))
        engines[0].start()
        await trio.sleep(60)
        assert fleet.node(engines[0]).state is State.UNHEALTHY
        assert "device or resource busy" in fleet.node(engines[0]).error
        engines[0].instead.clear()
        await wait_for(lambda: fleet.node(engines[0]).state is State.HEALTHY)
        assert original.id not in engines[0].containers


async def test_another_manager_knows_the_stale_container_by_the_label(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await fleet.cluster.moves.move(original)
    async with open_fleet(*engines[1:]) as fleet:  # knows nothing of the first engine
        engines[0].start()
        fleet.discover(*engines)
        await fleet.wait_healthy(*engines)
        assert original.id not in engines[0].containers
        assert list(holders(engines).values()) == ["running"]


async def test_another_manager_removes_the_original_when_it_sees_the_copy_last(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        placed = await fleet.cluster.moves.move(original)
    taker = next(each for each in engines if each.name == placed.node.name)
    others = [each for each in engines if each is not taker]
    engines[0].start()
    async with open_fleet(*others) as fleet:
        assert fleet.cluster.find_container("web").id == original.id
        fleet.discover(*engines)
        await fleet.wait_healthy(*engines)
        assert fleet.cluster.find_container("web").node_id == placed.node.id
        assert original.id not in engines[0].containers


async def test_a_copy_that_a_client_removed_does_not_bring_the_original_back(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        placed = await fleet.cluster.moves.move(original)
        copy = fleet.cluster.find_container("web")
        next(each for each in engines if each.name == placed.node.name).remove(copy.id)
        await come_back(fleet, engines[0])
        assert holders(engines) == {}
