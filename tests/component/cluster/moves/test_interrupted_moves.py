"""Moves that a manager did not finish."""

import pytest
import trio

from swarmcore.cluster.moves.move import CannotMove
from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer, error_answer
from swarmcore.model import Drain
from tests.component.cluster.moves.moving import add, holders, known, lose, shown
from tests.component.fleets import open_fleet, wait_for


async def interrupt(fleet, engines, original):
    """Make the copy of a move, and end the manager before it is started."""
    for engine in engines[1:]:

        async def hang():
            await trio.sleep_forever()

        engine.answer("POST", "/start", hang)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fleet.cluster.moves.move, original)
        await wait_for(lambda: "created" in holders(engines).values())
        await trio.sleep(1)
        nursery.cancel_scope.cancel()


async def test_the_next_manager_starts_the_copy_of_an_interrupted_move(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await interrupt(fleet, engines, original)
    for engine in engines:
        engine.instead.clear()
    async with open_fleet(*engines[1:]) as fleet:
        await fleet.cluster.moves.finish_interrupted()
        assert list(holders(engines).values()) == ["running"]
        engines[0].start()
        fleet.discover(*engines)
        await fleet.wait_healthy(*engines)
        assert list(holders(engines).values()) == ["running"]
        assert original.id not in engines[0].containers


async def test_a_start_that_its_engine_gave_up_with_the_manager_is_made_again(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await interrupt(fleet, engines, original)
    for engine in engines[1:]:
        engine.instead.clear()
        for detail in engine.containers.values():
            detail["State"]["Error"] = "Canceled: context canceled"
    async with open_fleet(*engines[1:]) as fleet:
        await fleet.cluster.moves.finish_interrupted()
        assert list(holders(engines).values()) == ["running"]


async def test_the_next_manager_keeps_an_original_that_still_runs(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await interrupt(fleet, engines, original)
    for engine in engines:
        engine.instead.clear()
    engines[0].start()
    async with open_fleet(*engines) as fleet:
        assert holders(engines) == {"n1": "running"}
        assert fleet.cluster.find_container("web").id == original.id
        await fleet.cluster.moves.finish_interrupted()
        assert holders(engines) == {"n1": "running"}


async def test_a_copy_that_appears_late_gives_way_to_its_running_original(autojump_clock, engines):
    """An engine carries out a create whose manager no longer leads."""
    async with open_fleet(*engines) as fleet:
        moves = fleet.cluster.moves
        original = await known(fleet, add(fleet, engines[0]))
        assert moves.interrupted() == set()
        labels = {
            "com.docker.swarm.moved-from": original.id,
            "com.docker.swarm.moved-running": "1",
        }
        engines[1].add("web", state="created", labels=labels)
        await wait_for(moves.interrupted)
        assert moves.interrupted() == {original.id}
        await moves.finish_interrupted()
        assert holders(engines) == {"n1": "running"}
        assert shown(fleet) == [original.id]
        assert moves.interrupted() == set()


@pytest.mark.parametrize(
    ("step", "winner"),
    [
        (("POST", "/stop"), "the original"),
        (("POST", "/start"), "the copy"),
        (("DELETE", "/containers/"), "the copy"),
    ],
    ids=["before the stop", "before the start", "before the removal"],
)
async def test_a_replica_that_takes_over_leaves_one_copy_of_a_drained_nodes_container(
    autojump_clock, engines, step, winner
):
    reached = trio.Event()

    async def hang():
        reached.set()
        await trio.sleep_forever()

    async with open_fleet(*engines) as replica:
        async with open_fleet(*engines) as fleet, trio.open_nursery() as nursery:
            original = await known(fleet, add(fleet, engines[0]))
            for engine in engines:
                engine.answer(*step, hang)
            drained = Drain("new disk", moves=True)
            await fleet.cluster.drain_node(fleet.node(engines[0]), drained)
            nursery.start_soon(fleet.cluster.moves.move, original)
            await reached.wait()
            nursery.cancel_scope.cancel()
        for engine in engines:
            engine.instead.clear()
        await trio.sleep(5)
        await replica.cluster.moves.finish_interrupted()
        assert list(holders(engines).values()) == ["running"]
        assert ("n1" in holders(engines)) == (winner == "the original")
        assert len(shown(replica)) == 1
        assert replica.cluster.find_container("web").id == shown(replica)[0]


async def test_a_copy_that_cannot_be_removed_is_not_started_beside_its_original(
    autojump_clock, engines
):
    async with open_fleet(*engines) as replica:
        async with open_fleet(*engines) as fleet:
            original = await known(fleet, add(fleet, engines[0]))
            drained = Drain("new disk", moves=True)
            await fleet.cluster.drain_node(fleet.node(engines[0]), drained)
            async with trio.open_nursery() as nursery:

                async def end_manager():
                    nursery.cancel_scope.cancel()
                    await trio.sleep_forever()

                engines[0].answer("POST", "/stop", end_manager)
                nursery.start_soon(fleet.cluster.moves.move, original)
        for engine in engines:
            engine.answer("DELETE", "/containers/", error_answer(500, "device or resource busy"))
        await trio.sleep(5)
        await replica.cluster.moves.finish_interrupted()
        assert sorted(holders(engines).values()) == ["created", "running"]
        assert shown(replica) == [original.id]


async def test_an_unknown_outcome_of_the_create_is_not_repeated(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        for engine in engines[1:]:

            async def break_off(engine=engine):
                engine.kill()
                raise EngineUnreachable(engine.name, "reset", sent=True)

            engine.answer("POST", "/create", break_off)
        with pytest.raises(EngineUnreachable):
            await fleet.cluster.moves.move(original)
        with pytest.raises(CannotMove, match="unknown"):
            await fleet.cluster.moves.move(original)


async def test_a_copy_that_appears_after_its_original_was_removed_is_removed(
    autojump_clock, engines
):
    asked = []
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await fleet.cluster.drain_node(fleet.node(engines[0]), Drain("new disk", moves=True))
        for engine in engines[1:]:

            async def break_off(engine=engine):
                asked.append(engine)
                engine.freeze()
                raise EngineUnreachable(engine.name, "reset", sent=True)

            engine.answer("POST", "/create", break_off)
        with pytest.raises(EngineUnreachable):
            await fleet.cluster.moves.move(original)
        engines[0].remove(original.id)
        await wait_for(lambda: not shown(fleet))
        await trio.sleep(2)
        labels = {"com.docker.swarm.moved-from": original.id, **original.labels}
        [late] = asked
        late.instead.clear()
        late.thaw()
        late.add("web", state="created", labels=labels)
        await wait_for(lambda: not holders(engines))
        assert shown(fleet) == []


async def test_a_missing_image_is_told_and_a_second_move_uses_the_pull(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        for engine in engines[1:]:
            engine.images.clear()
            engine.say("untag", "busybox", kind="image")
        await trio.sleep(5)
        await lose(fleet, engines[0])
        placed = await fleet.cluster.moves.move(original)
        assert placed.answer.status == 404
        targets = fleet.pull_targets("busybox", client=f"move of {original.id}")
        assert targets == [placed.node.name]
        taker = next(each for each in engines if each.name == targets[0])
        taker.images.add("busybox:latest")
        taker.say("pull", "busybox:latest", kind="image")
        await trio.sleep(5)
        placed = await fleet.cluster.moves.move(original)
        assert isinstance(placed.answer, Answer)
        assert (placed.answer.status, placed.node.name) == (201, taker.name)
