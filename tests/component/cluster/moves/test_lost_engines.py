"""Moves from engines that were lost."""

import pytest
import trio

from swarmcore.cluster.moves.copies import MOVED_FROM, WAS_RUNNING
from swarmcore.cluster.moves.move import CannotMove
from swarmcore.container_config.references import FORMER_IDS
from swarmcore.errors import EngineRefused, EngineUnreachable
from swarmcore.http.messages import error_answer
from swarmcore.model import State
from tests.component.cluster.moves.moving import add, come_back, holders, known, lose, shown
from tests.component.fleets import open_fleet, wait_for


async def test_a_container_of_a_lost_engine_runs_elsewhere(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0], Env=["A=1"]))
        await lose(fleet, engines[0])
        placed = await fleet.cluster.moves.move(original)
        assert placed.answer.status == 201
        copy = fleet.cluster.find_container("web")
        assert copy.state == "running"
        assert copy.node_id == placed.node.id != original.node_id
        assert copy.swarm_id == original.swarm_id
        assert copy.labels[MOVED_FROM] == original.id
        assert copy.detail["Config"]["Env"] == ["A=1"]
        assert original.id not in fleet.node(engines[0]).containers
        (record,) = fleet.cluster.moves.latest()
        assert (record.name, record.source, record.state) == ("web", "n1", "moved")
        assert (record.target, record.copy_id) == (placed.node.name, copy.id)
        assert fleet.cluster.decisions(1)[0].cause == "move"


async def test_lists_show_one_of_the_two_copies_all_the_time(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        seen = []

        async def look():
            seen.append(shown(fleet))

        for engine in engines[1:]:
            engine.answer("POST", "/start", look)
        engines[0].answer("DELETE", original.id, look)
        await lose(fleet, engines[0])
        placed = await fleet.cluster.moves.move(original)
        await come_back(fleet, engines[0])
        await look()
        assert seen == [[original.id], [placed.answer.json()["Id"]], [placed.answer.json()["Id"]]]


async def test_a_move_is_an_event_with_the_former_node(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        async with fleet.cluster.follow_events() as events:
            await fleet.cluster.moves.move(original)
            async for event in events:
                if event.action == "move":
                    break
        assert event.actor_id == fleet.cluster.find_container("web").id
        assert (event.attributes["name"], event.attributes["node.former"]) == ("web", "n1")
        assert event.attributes["node.name"] != "n1"


async def test_a_failed_move_is_unfinished_until_its_engine_is_back(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        for engine in engines[1:]:
            engine.answer("POST", "/start", error_answer(500, "no such runtime"))
        with pytest.raises(EngineRefused):
            await fleet.cluster.moves.move(original)
        (record,) = fleet.cluster.moves.unfinished()
        assert (record.name, record.state) == ("web", "failed")
        assert fleet.cluster.moves.counts() == {"failed": 1}
        await come_back(fleet, engines[0])
        assert fleet.cluster.moves.unfinished() == []


async def test_a_stopped_container_is_copied_and_not_started(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0], state="exited"))
        await lose(fleet, engines[0])
        await fleet.cluster.moves.move(original)
        copy = fleet.cluster.find_container("web")
        assert copy.state == "created"
        assert WAS_RUNNING not in copy.labels


async def test_nothing_moves_if_the_engine_answers_again(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        engines[0].start()
        with pytest.raises(CannotMove, match="answers again"):
            await fleet.cluster.moves.move(original)
        assert holders(engines) == {"n1": "running"}
        assert fleet.cluster.moves.latest()[0].state == "failed"


async def test_an_engine_that_returns_while_a_copy_is_created_keeps_its_container(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        await trio.sleep(10)
        for engine in engines[1:]:

            async def wait():
                engines[0].start()
                await trio.sleep(30)
                return

            engine.answer("GET", "/images/json", wait)
        engines[0].start()
        await wait_for(lambda: fleet.node(engines[0]).state is State.HEALTHY)
        with pytest.raises(CannotMove):
            await fleet.cluster.moves.move(original)
        assert holders(engines) == {"n1": "running"}


async def test_an_engine_that_returns_before_the_copy_starts_keeps_its_container(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])

        async def come_back_meanwhile():
            engines[0].start()
            await trio.sleep(20)

        for engine in engines[1:]:
            engine.answer("POST", "/create", come_back_meanwhile)
        with pytest.raises(CannotMove, match="has come back"):
            await fleet.cluster.moves.move(original)
        assert holders(engines) == {"n1": "running"}
        assert all("/start" not in path for engine in engines for path in engine.paths("POST"))
        await wait_for(lambda: fleet.node(engines[0]).state is State.HEALTHY)
        assert fleet.cluster.find_container("web").id == original.id


async def test_a_copy_that_does_not_start_is_removed_and_the_original_counts(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        for engine in engines[1:]:
            engine.answer("POST", "/start", error_answer(500, "no such runtime"))
        with pytest.raises(EngineRefused, match="no such runtime"):
            await fleet.cluster.moves.move(original)
        assert holders(engines[1:]) == {}
        assert fleet.cluster.find_container("web").id == original.id
        await come_back(fleet, engines[0])
        assert holders(engines) == {"n1": "running"}


async def test_a_copy_whose_engine_is_lost_in_the_move_is_moved_and_never_runs_twice(
    autojump_clock, engines
):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        takers = []

        def die(engine):
            async def start():
                takers.append(engine)
                engine.set_state(next(iter(engine.containers)), "running", "start")
                engine.kill()
                raise EngineUnreachable(engine.name, "reset", sent=True)

            return start

        for engine in engines[1:]:
            engine.answer("POST", "/start", die(engine))
        with pytest.raises(EngineUnreachable):
            await fleet.cluster.moves.move(original)
        (taker,) = takers
        with pytest.raises(CannotMove, match="moved already"):
            await fleet.cluster.moves.move(original)
        await wait_for(lambda: fleet.node(taker).state is State.UNHEALTHY)
        for engine in engines:
            engine.instead.clear()
        copy = fleet.cluster.find_container("web")
        assert copy.node_id == fleet.node(taker).id
        await fleet.cluster.moves.move(copy)
        second = fleet.cluster.find_container("web")
        assert second.state == "running"
        assert second.labels[MOVED_FROM].split(",") == [copy.id, original.id]
        for engine in (engines[0], taker):
            await come_back(fleet, engine)
        assert list(holders(engines).values()) == ["running"]


async def test_a_network_of_the_lost_engine_is_created_on_the_new_node(autojump_clock, engines):
    network = {"Id": "net-of-n1", "Name": "back", "Scope": "local", "Driver": "bridge"}
    engines[0].networks.append(network)
    async with open_fleet(*engines) as fleet:
        id = add(fleet, engines[0], HostConfig={"NetworkMode": "back"})
        original = await known(fleet, id)
        await lose(fleet, engines[0])
        placed = await fleet.cluster.moves.move(original)
        (taker,) = (each for each in engines if each.name == placed.node.name)
        (made,) = (each for each in taker.networks if each["Name"] == "back")
        assert made["Labels"] == {FORMER_IDS: "net-of-n1"}
        names = [each["Name"] for node in fleet.cluster.nodes() for each in node.networks.values()]
        assert names.count("back") == 1
        await come_back(fleet, engines[0])
        assert "net-of-n1" in fleet.node(engines[0]).networks


async def test_a_network_that_another_node_has_is_not_created_again(autojump_clock, engines):
    for engine in engines:
        network = {"Id": f"net-of-{engine.name}", "Name": "back", "Scope": "local"}
        engine.networks.append(network)
    async with open_fleet(*engines) as fleet:
        id = add(fleet, engines[0], HostConfig={"NetworkMode": "back"})
        original = await known(fleet, id)
        await lose(fleet, engines[0])
        await fleet.cluster.moves.move(original)
        assert all("/networks/create" not in engine.paths("POST") for engine in engines)
