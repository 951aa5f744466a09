"""Drained nodes and added labels: immediate effects, and how long they last."""

import pytest
import trio

from swarmcore.errors import NoNodeFits
from swarmcore.model import Drain, GiB, State
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine

UPGRADE = Drain("kernel upgrade", "anna")


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2)]


async def test_a_drained_node_takes_nothing_and_keeps_what_it_has(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        first, second = (fleet.node(one) for one in engines)
        there = (await fleet.create(a_config(name="there", memory=GiB))).node
        other = second if there is first else first
        await fleet.cluster.drain_node(there, UPGRADE)
        assert [container.name for container in there.containers.values()] == ["there"]
        assert there.used_memory == GiB
        for name in ("web-1", "web-2"):
            assert (await fleet.create(a_config(name=name))).node is other
        await fleet.cluster.drain_node(other, UPGRADE)
        with pytest.raises(NoNodeFits, match=r"2 drained \(kernel upgrade, by anna\)"):
            await fleet.create(a_config(name="web-3"))
        await fleet.cluster.drain_node(there, None)
        assert (await fleet.create(a_config(name="web-3"))).node is there


async def test_a_create_under_way_ends_on_a_node_that_is_drained_meanwhile(autojump_clock, engines):
    async with open_fleet(*engines) as fleet, trio.open_nursery() as nursery:
        placed = []

        async def create():
            placed.append(await fleet.create(a_config(name="web")))

        engines[0].freeze()
        nursery.start_soon(create)
        first = fleet.node(engines[0])
        await wait_for(lambda: first.reservations)
        await fleet.cluster.drain_node(first, UPGRADE)
        assert first.reservations
        engines[0].thaw()
        await wait_for(lambda: placed)
        assert placed[0].node is first


async def test_a_create_that_comes_back_from_its_pull_goes_elsewhere(autojump_clock, engines):
    for engine in engines:
        engine.images = set()
    async with open_fleet(*engines) as fleet:
        first, second = (fleet.node(engine) for engine in engines)
        await fleet.create(a_config(name="web"))
        assert first.reservations
        engines[0].images.add("busybox:latest")
        engines[0].say("pull", "busybox:latest", kind="image")
        await wait_for(lambda: "busybox:latest" in first.image_words)
        await fleet.cluster.drain_node(first, UPGRADE)
        assert (await fleet.create(a_config(name="web"))).answer.status == 404
        assert (len(first.reservations), len(second.reservations)) == (0, 1)
        assert fleet.pull_targets("busybox") == ["n2"]


async def test_a_drain_and_labels_stay_with_the_address(autojump_clock, engines):
    """They stay if the engine restarts, leaves, or is replaced by another one."""
    async with open_fleet(*engines) as fleet:
        one = engines[0]
        await fleet.cluster.drain_node(fleet.node(one), UPGRADE)
        await fleet.cluster.label_node(fleet.node(one), {"zone": "b"})
        fleet.discover(engines[1])
        one.engine_id, one.labels = "ID-reinstalled", ["zone=a", "disk=ssd"]
        fleet.discover(*engines)
        assert fleet.node(one).state is State.PENDING
        assert fleet.node(one).drained == UPGRADE
        await fleet.wait_healthy(one)
        assert fleet.node(one).drained == UPGRADE
        assert dict(fleet.node(one).labels) | {"zone": "b", "disk": "ssd"} == fleet.node(one).labels


async def test_a_pending_node_can_be_drained_before_it_joins(autojump_clock, engines):
    one, two = engines
    one.kill()
    async with open_fleet(two) as fleet:
        fleet.discover(one, two)
        await fleet.cluster.drain_node(fleet.node(one), UPGRADE)
        one.start()
        await fleet.wait_healthy(one)
        assert (await fleet.create(a_config())).node is fleet.node(two)
