"""Engines that leave discovery's list while a plugin wants to move their containers first."""

from contextlib import asynccontextmanager

import pytest
import trio

from swarmcore.errors import NoNodeFits
from swarmcore.model import State
from swarmcore.testing.builders import a_config
from tests.component.cluster.moves.moving import add, holders, known, lose
from tests.component.fleets import open_fleet, wait_for


@asynccontextmanager
async def open_departing(*engines):
    """A cluster whose plugins need departed engines for ten minutes while these have containers."""
    async with open_fleet(*engines) as fleet:
        fleet.listener.needed = lambda node: 600.0 if node.containers else 0.0
        yield fleet


def names(fleet):
    return {node.name for node in fleet.cluster.nodes()}


async def test_an_engine_without_containers_leaves_at_once(autojump_clock, engines):
    async with open_departing(*engines) as fleet:
        fleet.discover(*engines[1:])
        assert names(fleet) == {"n2", "n3"}


async def test_an_engine_stays_drained_until_its_containers_have_moved(autojump_clock, engines):
    async with open_departing(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        fleet.discover(*engines[1:])
        node = fleet.node(engines[0])
        assert node.drained.moves
        assert str(node.drained) == "it left discovery's list"
        await fleet.cluster.moves.move(original)
        await wait_for(lambda: names(fleet) == {"n2", "n3"})
        assert list(holders(engines).values()) == ["running"]
        assert original.id not in engines[0].containers


async def test_the_containers_of_a_lost_engine_move_after_it_has_left(autojump_clock, engines):
    async with open_departing(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        fleet.discover(*engines[1:])
        await fleet.cluster.moves.move(original)
        await wait_for(lambda: names(fleet) == {"n2", "n3"})
        assert list(holders(engines).values()) == ["running"]


async def test_an_engine_whose_containers_stay_leaves_when_its_time_is_over(
    autojump_clock, engines
):
    async with open_departing(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        fleet.discover(*engines[1:])
        await trio.sleep(599)
        assert names(fleet) == {"n1", "n2", "n3"}
        await wait_for(lambda: names(fleet) == {"n2", "n3"})
        assert original.id in engines[0].containers


async def test_an_engine_that_is_listed_again_takes_containers_again(autojump_clock, engines):
    async with open_departing(*engines) as fleet:
        await known(fleet, add(fleet, engines[0]))
        fleet.discover(*engines[1:])
        fleet.discover(*engines)
        node = fleet.node(engines[0])
        assert node.drained is None
        assert node.state is State.HEALTHY
        await trio.sleep(1200)
        assert names(fleet) == {"n1", "n2", "n3"}


async def test_lists_that_are_reported_again_do_not_extend_the_time(autojump_clock, engines):
    async with open_departing(*engines) as fleet:
        await known(fleet, add(fleet, engines[0]))
        fleet.discover(*engines[1:])
        await trio.sleep(500)
        fleet.discover(*engines[1:])
        await trio.sleep(102)
        assert names(fleet) == {"n2", "n3"}


async def test_the_end_of_a_drain_by_an_operator_does_not_let_containers_in(
    autojump_clock, engines
):
    async with open_departing(*engines) as fleet:
        await known(fleet, add(fleet, engines[0]))
        fleet.discover(*engines[1:])
        await fleet.cluster.drain_node(fleet.node(engines[0]), None)
        assert fleet.node(engines[0]).drained is not None
        for engine in engines[1:]:
            await lose(fleet, engine)
        with pytest.raises(NoNodeFits):
            await fleet.create(a_config(name="late"))
