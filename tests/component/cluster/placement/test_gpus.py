"""GPUs over whole creates: none is given to two containers or lost, and engines get their ids."""

import pytest
import trio

from swarmcore.errors import NoNodeFits
from swarmcore.http.messages import error_answer
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


def a_job(name, count):
    request = {"Driver": "", "Count": count, "Capabilities": [["gpu"]], "Options": {}}
    return a_config(name=name, body={"HostConfig": {"DeviceRequests": [request]}})


@pytest.fixture
def engines():
    made = [ScriptedEngine(f"n{n}", n) for n in (1, 2)]
    for engine in made:
        engine.labels = ["swarm.gpus=4"]
    return made


def given(engine):
    """Return the GPUs in the create body of each container."""
    requests = [each["HostConfig"]["DeviceRequests"] for each in engine.containers.values()]
    return [id for (request,) in requests for id in request["DeviceIDs"]]


async def test_concurrent_creates_get_all_gpus_and_share_none(autojump_clock, engines):
    refused = []

    async def create(number):
        try:
            await fleet.create(a_job(f"job-{number}", 1))
        except NoNodeFits as error:
            refused.append(str(error))

    async with open_fleet(*engines) as fleet:
        async with trio.open_nursery() as nursery:
            for number in range(12):
                nursery.start_soon(create, number)
        for engine in engines:
            assert sorted(given(engine)) == ["0", "1", "2", "3"]
            assert sorted(fleet.node(engine).gpu_holders) == ["0", "1", "2", "3"]
        assert fleet.left_behind() == []
    assert len(refused) == 4
    assert {text.partition("nodes: ")[2] for text in refused} == {"2 gpu (needs 1, 0 free of 4)"}


async def test_after_a_failure_the_next_node_gives_its_own_gpus(autojump_clock, engines):
    engines[1].labels = ["swarm.gpus=GPU-a,GPU-b"]
    engines[0].answer("POST", "/create", error_answer(500, "no space left on device"))
    async with open_fleet(*engines) as fleet:
        await fleet.create(a_job("job", 2))
        assert given(engines[1]) == ["GPU-a", "GPU-b"]
        assert fleet.node(engines[0]).gpu_holders == {}


async def test_gpus_are_kept_for_the_client_that_pulls(autojump_clock, engines):
    for engine in engines:
        engine.images = set()
    async with open_fleet(*engines) as fleet:
        placed = await fleet.create(a_job("job", 4))
        assert placed.answer.status == 404
        (waiting,) = fleet.pull_targets("busybox")
        await fleet.create(a_job("other", -1), client="192.0.2.98")
        with pytest.raises(NoNodeFits, match="needs 1, 0 free of 4"):
            await fleet.create(a_job("third", 1), client="192.0.2.99")
        engine = next(each for each in engines if each.name == waiting)
        engine.images.add("busybox:latest")
        engine.say("pull", "busybox:latest", kind="image")
        await wait_for(lambda: fleet.node(engine).images)
        placed = await fleet.create(a_job("job", 4))
        assert (placed.answer.status, placed.node.name) == (201, waiting)
        assert sorted(given(engine)) == ["0", "1", "2", "3"]


async def test_gpus_of_existing_containers_are_counted(autojump_clock, engines):
    body = a_job("old", 3).body
    engines[0].add("old", state="exited", HostConfig=body["HostConfig"])
    async with open_fleet(*engines) as fleet:
        assert fleet.node(engines[0]).free_gpus == ["3"]
        engines[1].add("outside", HostConfig=body["HostConfig"])
        await wait_for(lambda: fleet.node(engines[1]).free_gpus == ["3"])
        with pytest.raises(NoNodeFits, match="needs 2, 1 free of 4"):
            await fleet.create(a_job("new", 2))
        engines[0].remove(next(iter(engines[0].containers)))
        await wait_for(lambda: len(fleet.node(engines[0]).free_gpus) == 4)
        assert (await fleet.create(a_job("new", 2))).node.name == "n1"
