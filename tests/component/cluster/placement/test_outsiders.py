"""Containers that are created directly on an engine count from their events on, and only once."""

import pytest

from swarmcore.errors import NoNodeFits
from swarmcore.http.messages import error_answer
from swarmcore.model import GiB
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine

PORT = {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2)]


async def test_an_outside_container_counts_as_soon_as_its_event_comes(autojump_clock, engines):
    async with open_fleet(*engines) as fleet:
        for engine in engines:
            engine.add("outside", HostConfig={"Memory": 7 * GiB, **PORT})
        await wait_for(lambda: fleet.node(engines[1]).used_memory == 7 * GiB, 1)
        with pytest.raises(NoNodeFits, match="2 memory"):
            await fleet.create(a_config(name="big", memory=2 * GiB))
        with pytest.raises(NoNodeFits, match="2 port 8080/tcp"):
            await fleet.create(a_config(name="web", ports=["8080:80"]))
        engines[0].remove(next(iter(engines[0].containers)))
        await wait_for(lambda: fleet.node(engines[0]).used_memory == 0, 1)
        placed = await fleet.create(a_config(name="web", ports=["8080:80"]))
        assert placed.node.name == "n1"


async def test_an_outside_container_that_takes_claimed_resources_moves_the_create(
    autojump_clock, engines
):
    async def taken_meanwhile():
        if "outside" not in [detail["Name"][1:] for detail in engines[0].containers.values()]:
            engines[0].add("outside", HostConfig=PORT)
        return error_answer(500, "Bind for 0.0.0.0:8080 failed: port is already allocated")

    engines[0].answer("POST", "/create", taken_meanwhile)
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_config(name="web", ports=["8080:80"]))
        assert (placed.answer.status, placed.node.name) == (201, "n2")
        names = [detail["Name"] for one in engines for detail in one.containers.values()]
        assert sorted(names) == ["/outside", "/web"]
        assert fleet.left_behind() == []
        asked = a_config(ports=["8080:80"]).claim.ports
        assert fleet.node(engines[0]).port_clash(asked) == (asked[0], "outside")


async def test_an_outside_container_counts_besides_a_claim(autojump_clock, engines):
    async def share():
        engines[0].add("outside", HostConfig={"Memory": 6 * GiB})

    engines[0].answer("POST", "/create", share)
    async with open_fleet(engines[0]) as fleet:
        placed = await fleet.create(a_config(name="web", memory=4 * GiB))
        assert placed.answer.status == 201
        await wait_for(lambda: placed.node.used_memory == 10 * GiB, 1)
        with pytest.raises(NoNodeFits, match="most free 0 B"):
            await fleet.create(a_config(name="more", memory=GiB))
