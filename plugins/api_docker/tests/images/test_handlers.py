"""Images of several engines: one list, and inspection on the engine that most agree with."""

import pytest
from swarmcore_api_docker.images import inspection, listing

from swarmcore.errors import NotFound
from swarmcore.http.messages import json_answer
from swarmcore.model import State

A, B = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.fixture
def tagged(engines):
    """A cluster in which ``tool:1`` is one image on n1, and another on n2 and n3."""
    for engine, id in zip(engines, (A, B), strict=True):
        engine.node.images = {id: {"Id": id, "RepoTags": ["tool:1"], "Created": 1, "Size": 1}}


async def test_the_image_list_is_the_union_by_id(ask, tagged):
    shown = (await ask(listing.show_list)).json
    assert sorted(image["Id"] for image in shown) == [A, B]


async def test_images_of_one_node_or_of_a_healthy_one(ask, tagged, engines):
    target = '/images/json?filters={"node":["n2"]}'
    assert [image["Id"] for image in (await ask(listing.show_list, target=target)).json] == [B]
    engines[1].node.state = State.UNHEALTHY
    assert [image["Id"] for image in (await ask(listing.show_list)).json] == [A]


async def test_engines_are_asked_for_data_that_the_caches_lack(ask, tagged, engines):
    for engine in engines:
        engine.answers["/images/json"] = json_answer([{"Id": A, "SharedSize": 9}])
    shown = (await ask(listing.show_list, target="/v1.42/images/json?shared-size=1&all=0")).json
    assert [image["SharedSize"] for image in shown] == [9]
    assert engines[0].asked[0][1] == "/images/json?all=0&shared-size=1"


async def test_an_old_parameter_is_a_reference_filter(ask, tagged):
    assert (await ask(listing.show_list, target="/v1.30/images/json?filter=other")).json == []


async def test_inspect_asks_the_engine_that_most_agree_with(ask, tagged, engines, cluster, docker):
    third = docker.Engine(docker.node("n3", "10.0.0.3", images=engines[1].node.images))
    cluster._engines.append(third)
    exchange = await ask(
        inspection.inspect, target="/images/tool:1/json?manifests=1", params={"name": "tool:1"}
    )
    assert exchange.relayed == (engines[1], "/images/tool:1/json?manifests=1")


async def test_inspect_of_an_unknown_image_has_dockers_text(ask):
    with pytest.raises(NotFound, match="No such image: ghost:latest"):
        await ask(inspection.inspect, params={"name": "ghost"})
