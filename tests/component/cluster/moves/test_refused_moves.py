"""Containers that stay on their node, and why."""

import pytest
import trio

from swarmcore.cluster.moves.local_volumes import VOLUMES
from swarmcore.cluster.moves.move import CannotMove
from swarmcore.errors import NoNodeFits
from tests.component.cluster.moves.moving import add, holders, known, lose
from tests.component.fleets import open_fleet, wait_for


async def test_a_container_with_a_local_volume_stays(autojump_clock, engines):
    mount = {"Type": "volume", "Name": "data", "Driver": "local", "Destination": "/data"}
    async with open_fleet(*engines) as fleet:
        id = add(fleet, engines[0], HostConfig={"Binds": ["data:/data"]})
        engines[0].containers[id]["Mounts"] = [mount]
        engines[0].say("start", id)
        await wait_for(lambda: fleet.node(engines[0]).containers.get(id) is not None
                       and fleet.node(engines[0]).containers[id].detail.get("Mounts"))  # fmt: skip
        original = fleet.cluster.find_container("web")
        await lose(fleet, engines[0])
        with pytest.raises(CannotMove, match=r"its volumes there \(data\).*abandon"):
            await fleet.cluster.moves.move(original)
        assert holders(engines) == {}


async def test_a_container_with_a_local_volume_moves_if_its_label_allows_that(
    autojump_clock, engines
):
    mount = {"Type": "volume", "Name": "data", "Driver": "local", "Destination": "/data"}
    async with open_fleet(*engines) as fleet:
        id = add(fleet, engines[0], HostConfig={"Binds": ["data:/data"]},
                 labels={VOLUMES: "abandon"})  # fmt: skip
        engines[0].containers[id]["Mounts"] = [mount]
        original = await known(fleet, id)
        await lose(fleet, engines[0])
        await fleet.cluster.moves.move(original)
        assert list(holders(engines).values()) == ["running"]


async def test_a_container_that_is_removed_when_it_ends_stays(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        id = add(fleet, engines[0], HostConfig={"AutoRemove": True})
        original = await known(fleet, id)
        await lose(fleet, engines[0])
        with pytest.raises(CannotMove, match="--rm"):
            await fleet.cluster.moves.move(original)


async def test_a_container_that_fits_nowhere_stays_and_the_record_says_why(autojump_clock, engines):
    ports = {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}
    async with open_fleet(*engines) as fleet:
        for engine in engines[1:]:
            await known(fleet, add(fleet, engine, f"on-{engine.name}",
                                   HostConfig={"PortBindings": ports}))  # fmt: skip
        original = await known(fleet, add(fleet, engines[0], HostConfig={"PortBindings": ports}))
        await lose(fleet, engines[0])
        with pytest.raises(NoNodeFits, match="80"):
            await fleet.cluster.moves.move(original)
        record = fleet.cluster.moves.latest()[0]
        assert (record.state, record.attempts) == ("failed", 1)
        assert "80" in record.error
        assert fleet.cluster.find_container("web").id == original.id


async def test_two_moves_of_one_container_make_one_copy(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        outcomes = []

        async def move():
            try:
                outcomes.append((await fleet.cluster.moves.move(original)).answer.status)
            except CannotMove:
                outcomes.append("refused")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(move)
            nursery.start_soon(move)
        assert sorted(map(str, outcomes)) == ["201", "refused"]
        assert list(holders(engines).values()) == ["running"]


async def test_a_fence_that_fails_keeps_the_container_where_it_is(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        original = await known(fleet, add(fleet, engines[0]))
        await lose(fleet, engines[0])
        fenced = []

        async def fence():
            fenced.append("n1")
            if len(fenced) == 1:
                raise RuntimeError("the power controller does not answer")

        fleet.listener.fenced = [fence]
        with pytest.raises(CannotMove, match="n1 is not fenced: the power controller"):
            await fleet.cluster.moves.move(original)
        assert holders(engines) == {}
        await fleet.cluster.moves.move(original)
        assert list(holders(engines).values()) == ["running"]
