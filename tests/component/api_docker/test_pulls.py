"""Pulls go to the node that will run the image, or to all, with the client's credentials."""

import base64
import json

TOOL = "/images/create?fromImage=team/tool&tag=1"


def auth(password):
    text = json.dumps({"username": "alice", "password": password}).encode()
    return ((b"X-Registry-Auth", base64.urlsafe_b64encode(text)),)


def holders(*engines):
    return [
        engine.name
        for engine in engines
        if any("team/tool:1" in image.tags for image in engine.state.images)
    ]


async def read_all(answer):
    return [json.loads(line) for line in answer.body.splitlines()]


async def test_a_pull_goes_to_every_engine(manager, n1, n2):
    for engine in (n1, n2):
        engine.allow_pull("team/tool:1", password="secret")
    lines = await read_all(await manager("POST", TOOL, headers=auth("secret")))
    ids = {line["id"].partition(": ")[0] for line in lines if "id" in line}
    assert ids == {"n1", "n2"}
    assert not any("error" in line for line in lines)
    for engine in manager.cluster.engines():
        assert "team/tool:1" in engine.node.image_words


async def test_a_pull_after_a_create_goes_to_the_node_of_the_create(manager, n1, n2):
    for engine in (n1, n2):
        engine.allow_pull("team/tool:1", password="secret")
    body = {"Image": "team/tool:1", "Labels": {"on": "n2"}}
    missing = await manager("POST", "/containers/create?name=web", body)
    assert missing.status == 404
    assert "No such image" in missing.json()["message"]
    lines = await read_all(await manager("POST", TOOL, headers=auth("secret")))
    assert any("Downloaded" in line.get("status", "") for line in lines)
    assert not any(line.get("id", "").startswith("n2: ") for line in lines)
    assert n1.requests_like("POST /images/create") == []
    made = await manager("POST", "/containers/create?name=web", body)
    assert made.status == 201


async def test_a_failed_pull_releases_its_reservation(manager):
    body = {"Image": "team/tool:1", "HostConfig": {"Memory": 1 << 30}}
    assert (await manager("POST", "/containers/create", body)).status == 404
    assert sum(node.used_memory for node in manager.cluster.nodes()) == 1 << 30
    assert (await manager("POST", TOOL, headers=auth("wrong"))).status == 404
    assert sum(node.used_memory for node in manager.cluster.nodes()) == 0


async def test_a_failed_pull_is_shown_with_the_decision(manager, n1, n2):
    failing = n2.fail("POST /images/create", 500, "no space left on device")
    body = {"Image": "team/tool:1", "Labels": {"on": "n2"}}
    assert (await manager("POST", "/containers/create?name=web", body)).status == 404
    assert (await manager("POST", TOOL)).status == 500
    (decision,) = manager.cluster.decisions(1)
    told = (decision.name, decision.node, decision.failure)
    assert told == ("web", "n2", "the pull failed: no space left on device")
    (failed,) = manager.cluster.nodes()[1].failed_pulls.values()
    assert (failed.count, failed.image) == (1, "team/tool:1")
    failing.release()
    for engine in (n1, n2):
        engine.allow_pull("team/tool:1")
    assert (await manager("POST", TOOL)).status == 200
    assert manager.cluster.nodes()[1].failed_pulls == {}


async def test_errors_of_the_client_count_against_no_node(manager, n1, n2):
    assert (await manager("POST", TOOL, headers=auth("wrong"))).status == 404
    assert [node.failed_pulls for node in manager.cluster.nodes()] == [{}, {}]


async def test_when_every_engine_is_refused_so_is_the_client(manager):
    answer = await manager("POST", TOOL, headers=auth("wrong"))
    assert answer.status == 404
    assert "pull access denied" in answer.json()["message"]


async def test_a_failure_on_one_engine_is_reported_at_the_end(manager, n1, n2):
    n1.allow_pull("team/tool:1")
    n2.fail("POST /images/create", 500, "no space left on device")
    lines = await read_all(await manager("POST", TOOL))
    assert lines[-1]["error"] == "pull failed on 1 of 2 nodes: n2: no space left on device"


async def test_a_client_that_leaves_ends_the_pulls(manager, n1, n2):
    for engine in (n1, n2):
        engine.allow_pull("team/tool:1")
    n2.hang("POST /images/create")
    async with manager.lines("POST", TOOL) as following:
        await following()
        await n2.wait_request("POST /images/create")
        assert "n2" not in holders(n1, n2)
    # A hang that nobody releases ends when its client has gone; only then is the image there.
    await manager.wait_until(lambda: "n2" in holders(n1, n2))
