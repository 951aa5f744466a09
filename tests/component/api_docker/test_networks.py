"""Networks through the manager: each on one engine, with an unambiguous name."""

from functools import partial

import pytest
import trio
import trio.testing


def on(name):
    """Labels by which the test's strategy chooses a node."""
    return {"Labels": {"on": name}}


async def networks(manager, **filters):
    """Return the shown names of the user's networks."""
    listed = await manager.json("GET", "/networks", type=["custom"], **filters)
    return sorted(item["Name"] for item in listed)


async def test_a_network_is_made_on_one_engine_and_known_at_once(manager, n1, n2):
    made = await manager.json("POST", "/networks/create", {"Name": "web", **on("n2")})
    assert n2.state.networks.find("web")["Driver"] == "bridge"
    assert await networks(manager) == ["web"]
    for text in ("web", "n2/web", made["Id"], made["Id"][:10]):
        assert (await manager.json("GET", f"/networks/{text}"))["Id"] == made["Id"]
    await manager.json("DELETE", "/networks/web")
    assert await networks(manager) == []


async def test_a_name_is_taken_in_the_whole_cluster(manager):
    await manager.json("POST", "/networks/create", {"Name": "web", **on("n2")})
    answer = await manager("POST", "/networks/create", {"Name": "web", **on("n1")})
    assert answer.status == 409
    assert answer.json()["message"] == "network with name web already exists"


async def test_one_of_two_concurrent_creates_gets_the_name(manager):
    statuses = []

    async def create(node):
        answer = await manager("POST", "/networks/create", {"Name": "web", **on(node)})
        statuses.append(answer.status)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(create, "n1")
        nursery.start_soon(create, "n2")
    assert sorted(statuses) == [201, 409]


async def test_a_name_that_is_refused_as_taken_can_be_inspected(manager, n1):
    making = n1.hang("POST /networks/create")
    statuses = []

    async def create():
        answer = await manager("POST", "/networks/create", {"Name": "web", **on("n1")})
        statuses.append(answer.status)
        assert await networks(manager) == ["web"]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(create)
        await n1.wait_request("/networks/create")
        nursery.start_soon(create)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert statuses == []
        making.release()
    assert sorted(statuses) == [201, 409]


async def test_a_name_is_free_after_a_failed_create(manager, n1):
    n1.fail("POST /networks/create", 500, "no", times=1)
    answer = await manager("POST", "/networks/create", {"Name": "web", **on("n1")})
    assert answer.status == 500
    await manager.json("POST", "/networks/create", {"Name": "web", **on("n1")})


@pytest.mark.parametrize("name", ["", "  ", "n1/"])
async def test_a_network_without_a_name_is_refused_in_the_words_of_an_engine(manager, name):
    answer = await manager("POST", "/networks/create", {"Name": name})
    assert (answer.status, answer.json()["message"]) == (400, "invalid name: name is empty")


async def test_a_prefix_chooses_the_node_and_is_shown_for_ambiguous_names(manager):
    for name in ("n1/web", "n2/web", "n2/back"):
        await manager.json("POST", "/networks/create", {"Name": name})
    assert await networks(manager) == ["back", "n1/web", "n2/web"]
    assert await networks(manager, node=["n1"]) == ["n1/web"]
    answer = await manager("GET", "/networks/web")
    assert answer.status == 400
    assert "write n1/web or n2/web" in answer.json()["message"]
    listed = await manager.json("GET", "/networks", name=["bridge"])
    assert {item["Name"] for item in listed} == {"n1/bridge", "n2/bridge"}
    assert (await manager.json("GET", "/networks/bridge"))["Name"] == "bridge"


async def test_old_engines_are_told_to_look_for_duplicates(manager, n1, n2):
    for node in ("n1", "n2"):
        await manager.json("POST", "/networks/create", {"Name": f"of-{node}", **on(node)})
    (old,) = n1.requests_like("POST /networks/create")
    (new,) = n2.requests_like("POST /networks/create")
    assert b'"CheckDuplicate":true' in old.body
    assert b"CheckDuplicate" not in new.body


@pytest.mark.parametrize("label", ["com.docker.compose.project", "com.gitlab.gitlab-runner.job.id"])
async def test_what_one_project_makes_stays_together(manager, n1, n2, label):
    project = {label: "shop"}
    await manager.run("load", "n1")
    front = {"Name": "shop_front", "Labels": project}
    await manager.json("POST", "/networks/create", front)
    for _ in range(2):
        await manager.run(f"more{_}", "n2")
    await manager.json("POST", "/networks/create", {"Name": "shop_back", "Labels": project})
    await manager.json("POST", "/volumes/create", {"Name": "shop_data", "Labels": project})
    assert n2.state.networks.find("shop_back")
    assert n2.state.volumes.find("shop_data")


async def test_what_a_project_makes_at_once_stays_together_and_apart_from_others(manager, n1, n2):
    def network(project, name):
        labels = {"com.docker.compose.project": project}
        body = {"Name": f"{project}_{name}", "Labels": labels}
        return partial(manager.json, "POST", "/networks/create", body)

    making = n1.hang("POST /networks/create")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(network("shop", "front"))
        await n1.wait_request("/networks/create")
        nursery.start_soon(network("shop", "back"))
        await manager.wait_until(lambda: len(n1.requests_like("POST /networks/create")) == 2)
        making.release()
    await network("blog", "front")()
    assert await networks(manager, node=["n1"]) == ["shop_back", "shop_front"]
    assert await networks(manager, node=["n2"]) == ["blog_front"]


async def test_a_project_begins_where_its_image_was_built(manager, n1, n2):
    project = {"com.docker.compose.project": "shop"}
    n2.add_image("shop-web", {"Labels": project})
    n2.emit("image", "tag", "shop-web")
    await manager.wait_until(
        lambda: any("shop-web:latest" in node.image_words for node in manager.cluster.nodes())
    )
    await manager.json("POST", "/networks/create", {"Name": "shop_net", "Labels": project})
    assert await networks(manager, node=["n2"]) == ["shop_net"]


async def test_connect_goes_to_the_containers_engine_with_ids_it_knows(manager, n2):
    id = await manager.run("web", "n2")
    await manager.json("POST", "/networks/create", {"Name": "net", **on("n2")})
    await manager.json("POST", "/networks/net/connect", {"Container": "n2/web"})
    shown = await manager.json("GET", f"/containers/{id}/json")
    assert "net" in shown["NetworkSettings"]["Networks"]
    assert await networks(manager, dangling=["false"]) == ["net"]
    await manager.json("POST", "/networks/n2/net/disconnect", {"Container": id[:12]})
    assert await networks(manager, dangling=["true"]) == ["net"]


@pytest.mark.parametrize("node", ["n1", "n2"])
async def test_bridge_is_the_one_of_the_containers_engine(manager, node):
    id = await manager.run("web", node)
    await manager.json("POST", "/networks/bridge/disconnect", {"Container": "web"})
    shown = await manager.json("GET", f"/containers/{id}/json")
    assert "bridge" not in shown["NetworkSettings"]["Networks"]
    await manager.json("POST", "/networks/bridge/connect", {"Container": "web"})
    shown = await manager.json("GET", f"/containers/{id}/json")
    assert "bridge" in shown["NetworkSettings"]["Networks"]


async def test_a_connect_to_another_node_says_where_both_objects_are(manager):
    await manager.run("web", "n1")
    await manager.json("POST", "/networks/create", {"Name": "net", **on("n2")})
    await manager.run("other", HostConfig={"NetworkMode": "net"})
    answer = await manager("POST", "/networks/net/connect", {"Container": "web"})
    assert answer.status == 409
    assert "network net is only on n2, container web is on n1" in answer.json()["message"]


async def test_prune_reports_all_engines_and_spares_what_is_used(manager, n1):
    for name in ("n1/free", "n1/busy", "n2/free2"):
        await manager.json("POST", "/networks/create", {"Name": name})
    await manager.run("web", "n1", HostConfig={"NetworkMode": "busy"})
    report = await manager.json("POST", "/networks/prune")
    assert sorted(report["NetworksDeleted"]) == ["free", "free2"]
    assert await networks(manager) == ["busy"]


async def test_a_partial_failure_of_prune_reports_every_node(manager, n2):
    n2.fail("POST /networks/prune", 500, "disk on fire")
    answer = await manager("POST", "/networks/prune")
    assert answer.status == 500
    assert answer.json()["message"] == (
        "pruning networks failed on 1 of 2 nodes: n2: disk on fire; n1: done"
    )


@pytest.mark.parametrize("path", ["/networks/bridge", "/networks/n1/host"])
async def test_predefined_networks_stay(manager, path):
    answer = await manager("DELETE", path)
    assert (answer.status, "pre-defined" in answer.json()["message"]) == (403, True)
