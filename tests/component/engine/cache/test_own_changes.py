"""A change costs one read of the engine, whether its event is early, late or missing."""

import pytest
import trio

from swarmcore.errors import Conflict, EngineUnreachable, Unavailable
from swarmcore.http.messages import Answer, json_answer
from swarmcore.model import State
from swarmcore.testing.builders import a_config, a_request
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine

INSPECT = "^/containers/[0-9a-f]{64}/json"


@pytest.fixture
def dockerd():
    return ScriptedEngine("n1")


def reads(dockerd):
    """Return the reads of the engine, without ids."""
    return sorted("/".join(part for part in path.split("/") if len(part) < 64)
                  for path in dockerd.paths())  # fmt: skip


async def settled(dockerd):
    """Wait until late events have come and are read."""
    await trio.sleep(1)


@pytest.mark.parametrize("when", ["before the answer", "after the answer", "late", "never"])
async def test_a_create_costs_one_read(autojump_clock, dockerd, when):
    add = dockerd.add

    def add_quietly(name, **options):
        id = add(name, quiet=True, **options)
        if when != "never":
            after = {"after the answer": 0.02, "late": 0.2}[when]
            trio.lowlevel.spawn_system_task(say_later, id, after)
        return id

    async def say_later(id, seconds):
        await trio.sleep(seconds)
        dockerd.say("create", id)

    if when != "before the answer":
        dockerd.add = add_quietly
    async with open_fleet(dockerd) as fleet:
        dockerd.asked.clear()
        placed = await fleet.create(a_config(name="web"))
        assert fleet.cluster.find_container("web").id == placed.answer.json()["Id"]
        await settled(dockerd)
        assert dockerd.paths("POST") == ["/containers/create"]
        assert reads(dockerd) == ["/containers/json", "/containers/json"]


async def test_a_create_shows_its_anonymous_volumes_though_no_event_came(autojump_clock, dockerd):
    add = dockerd.add

    def add_quietly(name, **options):
        id = add(name, quiet=True, **options)
        dockerd.containers[id]["Mounts"] = [{"Type": "volume", "Name": "anonymous"}]
        dockerd.answer("GET", "^/volumes", json_answer({"Volumes": [{"Name": "anonymous"}]}))
        return id

    dockerd.add = add_quietly
    async with open_fleet(dockerd) as fleet:
        await fleet.create(a_config(name="web"))
        assert "anonymous" in fleet.node(dockerd).volumes


@pytest.mark.parametrize("when", ["before the answer", "after the answer", "never"])
async def test_a_change_is_in_the_cache_when_its_request_settles(autojump_clock, dockerd, when):
    web = dockerd.add("web", state="created")
    async with open_fleet(dockerd) as fleet:
        engine = fleet.cluster.engines()[0]
        settle = engine.settling(web, "start")
        dockerd.asked.clear()
        dockerd.set_state(web, "running", "start", quiet=when != "before the answer")
        async with trio.open_nursery() as nursery:
            if when == "after the answer":
                nursery.start_soon(_say_soon, dockerd, web)
            await settle(204)
            assert fleet.cluster.find_container("web").state == "running"
        await settled(dockerd)
        assert len(reads(dockerd)) == 2


async def _say_soon(dockerd, id):
    await trio.sleep(0.01)
    dockerd.say("start", id)


async def test_a_hundred_requests_that_end_together_share_their_reads(autojump_clock, dockerd):
    async with open_fleet(dockerd) as fleet:
        engine = fleet.cluster.engines()[0]
        dockerd.asked.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(engine.refresh_networks)
        assert dockerd.paths().count("/networks") == 1


async def test_an_event_without_news_causes_no_read(autojump_clock, dockerd):
    async with open_fleet(dockerd) as fleet:
        engine = fleet.cluster.engines()[0]
        engine.put_volume({"Name": "data"})
        engine.put_network({"Id": "n", "Name": "net"})
        dockerd.asked.clear()
        dockerd.say("create", "data", kind="volume")
        dockerd.say("create", "n", kind="network", type="bridge")
        dockerd.say("destroy", "other", kind="volume")
        dockerd.say("destroy", "n", kind="network", type="bridge")
        await wait_for(lambda: "n" not in engine.node.networks)
        await settled(dockerd)
        assert dockerd.asked == []
        assert "data" in engine.node.volumes


# ---- an engine that dies right after its answer


def create_and(dockerd, fate):
    """Let the engine create, answer 201, and then suffer *fate*."""

    async def create():
        dockerd.instead.clear()
        id = dockerd.add("web", quiet=True, labels=dict(CONFIG.labels))
        fate()
        return json_answer({"Id": id, "Warnings": []}, 201)

    dockerd.answer("POST", "^/containers/create", create)


CONFIG = a_config(name="web").with_swarm_id("5" * 64)


async def test_an_acknowledged_container_is_known_although_the_engine_died(autojump_clock, dockerd):
    async with open_fleet(dockerd) as fleet:
        create_and(dockerd, dockerd.kill)
        placed = await fleet.create(CONFIG)
        id = placed.answer.json()["Id"]
        await wait_for(lambda: fleet.node(dockerd).state is State.UNHEALTHY)
        container = fleet.cluster.find_container(id)
        assert container is fleet.cluster.find_container("web")
        assert [each.id for each in fleet.cluster.containers()] == [id]
        assert (container.state, container.image) == ("created", CONFIG.image)
        assert fleet.left_behind() == []
        with pytest.raises(Unavailable, match="web running on unhealthy node n1"):
            fleet.cluster.engine_of(container)
        with pytest.raises(Conflict, match=f'in use by container "{id}"'):
            await fleet.create(CONFIG)
        await trio.sleep(3600)
        assert fleet.cluster.find_container(id) is container

        dockerd.start()
        await fleet.wait_healthy(dockerd)
        assert fleet.cluster.find_container(id) is not container
        assert fleet.cluster.find_container(id).image_id == "sha256:busybox"


async def test_an_acknowledged_container_that_the_engine_lost_is_forgotten(autojump_clock, dockerd):
    async with open_fleet(dockerd) as fleet:
        create_and(dockerd, dockerd.kill)
        id = (await fleet.create(CONFIG)).answer.json()["Id"]
        await wait_for(lambda: fleet.node(dockerd).state is State.UNHEALTHY)
        del dockerd.containers[id]
        dockerd.start()
        await fleet.wait_healthy(dockerd)
        assert list(fleet.cluster.containers()) == []
        assert (await fleet.create(CONFIG)).answer.status == 201


async def test_an_acknowledged_container_is_read_with_its_event(autojump_clock, dockerd):
    """Only the read fails; the engine is healthy."""
    async with open_fleet(dockerd) as fleet:
        create_and(dockerd, lambda: dockerd.answer("GET", INSPECT, broken))
        id = (await fleet.create(CONFIG)).answer.json()["Id"]
        acknowledged = fleet.cluster.find_container(id)
        dockerd.instead.clear()
        dockerd.say("create", id)
        await wait_for(lambda: fleet.cluster.find_container(id) is not acknowledged, 5)


async def broken():
    raise EngineUnreachable("n1", "the connection broke", sent=True)


async def test_a_rename_that_an_engine_acknowledged_holds(autojump_clock, dockerd):
    web = dockerd.add("web")

    async def rename():
        dockerd.kill()
        return Answer(204)

    async with open_fleet(dockerd) as fleet:
        dockerd.answer("POST", "/rename", rename)
        request = a_request("POST", f"/v1.41/containers/{web}/rename")
        await fleet.cluster.rename_container(fleet.cluster.find_container("web"), "db", request)
        assert fleet.cluster.find_container("db").id == web
