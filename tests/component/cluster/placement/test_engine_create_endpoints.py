"""Creates on several networks, on an engine whose create takes one network."""

import pytest
import trio

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import Answer, error_answer
from swarmcore.testing.builders import a_config
from tests.component.fleets import open_fleet
from tests.scripted_engine import ScriptedEngine

CONFIG = a_config(
    name="web",
    body={
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkingConfig": {"EndpointsConfig": {"back": {}, "bridge": {}, "front": {}}},
    },
)


@pytest.fixture
def old():
    """An engine of API 1.41 that can connect and remove containers."""
    old = ScriptedEngine("n1")
    old.answer("POST", "^/networks/.*/connect", Answer(200))
    old.answer("DELETE", "^/containers/", Answer(204))
    return old


def changes(engine):
    """Return the changing requests to an engine, without ids."""
    ids = "|".join(engine.containers)
    asked = [(verb, path) for verb in ("POST", "DELETE") for path in engine.paths(verb)]
    return [f"{verb} {path}".replace(ids, "ID") for verb, path in asked]


async def test_the_other_networks_are_connected_before_the_answer(autojump_clock, old):
    async with open_fleet(old) as fleet:
        placed = await fleet.create(CONFIG, version="/v1.44")
    assert (placed.answer.status, placed.answer.json()["Warnings"]) == (201, ["a warning"])
    (container,) = old.containers.values()
    assert list(container["Config"]["NetworkingConfig"]["EndpointsConfig"]) == ["bridge"]
    assert changes(old) == [
        "POST /containers/create",
        "POST /networks/back/connect",
        "POST /networks/front/connect",
    ]


@pytest.mark.parametrize(("newest", "version"), [("1.44", "/v1.44"), ("1.41", "/v1.43")])
async def test_an_engine_gets_all_networks_if_it_takes_or_refuses_them(
    autojump_clock, old, newest, version
):
    old.api_version = newest
    async with open_fleet(old) as fleet:
        await fleet.create(CONFIG, version=version)
    assert changes(old) == ["POST /containers/create"]


@pytest.mark.parametrize(("status", "told"), [(403, 403), (404, 400), (500, 500)])
async def test_a_failed_connect_removes_the_container(autojump_clock, old, status, told):
    old.answer("POST", "^/networks/front/connect", error_answer(status, "not front"))
    async with open_fleet(old) as fleet:
        placed = await fleet.create(CONFIG, version="/v1.44")
        assert (placed.answer.status, placed.answer.message) == (told, "not front")
        assert changes(old)[-1] == "DELETE /containers/ID"
        assert fleet.left_behind() == []
        assert list(fleet.cluster.containers()) == []


async def test_a_container_that_cannot_be_removed_again_is_named(autojump_clock, old):
    old.answer("POST", "^/networks/front/connect", error_answer(403, "not front"))
    old.answer("DELETE", "^/containers/", error_answer(500, "busy"))
    async with open_fleet(old) as fleet:
        placed = await fleet.create(CONFIG, version="/v1.44")
    (id,) = old.containers
    assert placed.answer.message == f"not front; container {id[:12]} is left on n1: busy"


async def test_a_loss_of_the_engine_is_reported_and_the_name_stays_taken(autojump_clock, old):
    async def vanish():
        await trio.lowlevel.checkpoint()
        raise EngineUnreachable("n1", "reset by peer", sent=True)

    old.answer("POST", "^/networks/front/connect", vanish)
    async with open_fleet(old) as fleet:
        with pytest.raises(EngineUnreachable, match="while it connected container web") as raised:
            await fleet.create(CONFIG, version="/v1.44")
        assert raised.value.sent
        assert fleet.cluster.find_container("web").name == "web"
