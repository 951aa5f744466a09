"""The cluster's engines, containers, execs and events."""

import pytest
import trio

from swarmcore.errors import Conflict, NotFound, Unavailable
from swarmcore.http.messages import Answer
from swarmcore.model import State
from swarmcore.testing.builders import a_request
from swarmcore.versions import ApiVersion
from tests.component.fleets import open_fleet, wait_for
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engines():
    return [ScriptedEngine(f"n{n}", n) for n in (1, 2, 10)]


async def test_nodes_are_in_natural_order(autojump_clock, engines):
    async with open_fleet(*reversed(engines)) as fleet:
        assert [node.name for node in fleet.cluster.nodes()] == ["n1", "n2", "n10"]


async def test_the_announced_version_is_what_every_healthy_engine_speaks(autojump_clock, engines):
    engines[1].api_version = "1.30"
    engines[2].api_version = "1.99"
    async with open_fleet(*engines) as fleet:
        assert fleet.cluster.api_version == ApiVersion(1, 30)
        engines[1].kill()
        await wait_for(lambda: fleet.node(engines[1]).state is State.UNHEALTHY)
        assert fleet.cluster.api_version == ApiVersion(1, 41)
        fleet.discover(engines[2])
        assert fleet.cluster.api_version == ApiVersion(1, 51)


async def test_without_engines_the_ceiling_is_announced(autojump_clock):
    async with open_fleet() as fleet:
        assert fleet.cluster.api_version == ApiVersion(1, 51)
        with pytest.raises(Unavailable, match="No healthy node available in the cluster"):
            fleet.cluster.healthy_engines()


async def test_the_id_is_the_same_after_a_restart(autojump_clock):
    async with open_fleet() as before, open_fleet() as after:
        assert before.cluster.id == after.cluster.id
        assert len(before.cluster.id) == 64


async def test_a_container_is_found_by_name_and_by_node_and_name(autojump_clock, engines):
    web = engines[1].add("web")
    async with open_fleet(*engines) as fleet:
        for text in ("web", "/web", "n2/web", web, web[:12]):
            assert fleet.cluster.find_container(text).id == web
        assert fleet.cluster.engine_of(fleet.cluster.find_container("web")).node.name == "n2"
        with pytest.raises(NotFound, match="No such container: n1/web"):
            fleet.cluster.find_container("n1/web")


async def test_a_container_of_an_unhealthy_engine_is_known_and_cannot_be_asked(
    autojump_clock, engines
):
    engines[0].add("web")
    async with open_fleet(*engines) as fleet:
        engines[0].kill()
        await wait_for(lambda: fleet.node(engines[0]).state is State.UNHEALTHY)
        with pytest.raises(Unavailable, match="Container web running on unhealthy node n1"):
            fleet.cluster.engine_of(fleet.cluster.find_container("web"))


async def test_followers_hear_engines_and_the_cluster_itself(autojump_clock, engines):
    async with open_fleet(engines[0]) as fleet, fleet.cluster.follow_events() as events:
        assert fleet.cluster.listeners == 1
        engines[0].add("web")
        fleet.discover(*engines[:2])
        await fleet.wait_healthy(engines[1])
        engines[1].kill()
        await wait_for(lambda: fleet.node(engines[1]).state is State.UNHEALTHY)
        engines[1].start()
        await fleet.wait_healthy(engines[1])
        heard = [await anext(aiter(events)) for _ in range(4)]
    assert [(event.action, event.attributes["node.name"]) for event in heard] == [
        ("create", "n1"), ("engine_connect", "n2"), ("engine_disconnect", "n2"),
        ("engine_reconnect", "n2"),
    ]  # fmt: skip


async def test_a_rename_is_known_when_it_is_answered(autojump_clock, engines):
    engines[0].add("old")
    async with open_fleet(*engines) as fleet:
        container = fleet.cluster.find_container("old")
        answer = await fleet.cluster.rename_container(container, "new", a_request("POST"))
        assert answer.status == 204
        assert fleet.cluster.find_container("new").id == container.id
        with pytest.raises(NotFound):
            fleet.cluster.find_container("old")


async def test_concurrent_renames_to_one_name_have_one_winner(autojump_clock, engines):
    for number in range(30):
        engines[number % 3].add(f"c{number}")
    statuses = []
    async with open_fleet(*engines) as fleet, trio.open_nursery() as nursery:

        async def rename(container):
            try:
                answer = await fleet.cluster.rename_container(container, "x", a_request("POST"))
                statuses.append(answer.status)
            except Conflict:
                statuses.append(409)

        for container in list(fleet.cluster.containers()):
            nursery.start_soon(rename, container)
    assert sorted(statuses) == [204] + [409] * 29


async def test_a_refused_rename_frees_the_name(autojump_clock, engines):
    engines[0].add("old")
    engines[0].answer("POST", "/rename", Answer(500))
    async with open_fleet(*engines) as fleet:
        container = fleet.cluster.find_container("old")
        for _ in range(2):
            answer = await fleet.cluster.rename_container(container, "new", a_request("POST"))
            assert answer.status == 500
