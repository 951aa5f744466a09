"""Volumes through the manager: a name is on one engine, unless the client asks for more."""

import re
from functools import partial

import trio


def on(name):
    """Labels by which the test's strategy chooses a node."""
    return {"Labels": {"on": name}}


def names(engine):
    return sorted(volume["Name"] for volume in engine.state.volumes.all())


async def volumes(manager, **filters):
    """Return the shown names of the volumes."""
    listed = await manager.json("GET", "/volumes", **filters)
    return sorted(item["Name"] for item in listed["Volumes"])


async def test_a_volume_is_made_on_one_engine_and_found_there_again(manager, n1, n2):
    for node in ("n2", "n1", "n1"):
        made = await manager.json("POST", "/volumes/create", {"Name": "data", **on(node)})
        assert made["Name"] == "data"
    assert (names(n1), names(n2)) == ([], ["data"])
    assert await volumes(manager) == ["data"]
    for text in ("data", "n2/data"):
        assert (await manager.json("GET", f"/volumes/{text}"))["Name"] == "data"
    await manager.json("DELETE", "/volumes/data")
    assert await volumes(manager) == []


async def test_concurrent_creates_of_one_name_make_one_volume(manager, n1, n2):
    async def create(node):
        await manager.json("POST", "/volumes/create", {"Name": "data", **on(node)})

    async with trio.open_nursery() as nursery:
        for node in ("n1", "n2", "n1"):
            nursery.start_soon(create, node)
    assert names(n1) + names(n2) == ["data"]


async def test_containers_that_make_one_volume_at_once_are_on_its_node(manager, n1):
    making = n1.hang("POST /containers/create")
    data = {"HostConfig": {"Binds": ["data:/d"]}}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(manager.create, "one", "n1", **data))
        await n1.wait_request("/containers/create")
        nursery.start_soon(partial(manager.create, "two", **data))
        await manager.wait_until(lambda: len(n1.requests_like("POST /containers/create")) == 2)
        making.release()
    assert names(n1) == ["data"]
    assert await volumes(manager) == ["data"]


async def test_a_container_goes_where_its_volume_is_being_made(manager, n1, n2):
    making = n1.hang("POST /volumes/create")
    asked = {"Name": "data", **on("n1")}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(manager.json, "POST", "/volumes/create", asked)
        await n1.wait_request("/volumes/create")
        await manager.create("user", HostConfig={"Binds": ["data:/d"]})
        making.release()
    assert (names(n1), names(n2)) == (["data"], [])


async def test_a_volume_of_a_create_is_known_with_its_container(manager, n2):
    for node, volume in (("n2", "data"), ("n2", "n2/more")):
        await manager.create(f"of-{volume[-4:]}", node, HostConfig={"Binds": [f"{volume}:/d"]})
        assert volume[-4:] in await volumes(manager)
    assert names(n2) == ["data", "more"]


async def test_a_volume_without_a_name_gets_one_on_one_engine(manager, n1, n2):
    made = await manager.json("POST", "/volumes/create", {})
    assert re.fullmatch("[0-9a-f]{64}", made["Name"])
    assert names(n1) + names(n2) == [made["Name"]]


async def test_one_name_on_two_nodes(manager, n1, n2):
    for node in ("n1", "n2"):
        await manager.json("POST", "/volumes/create", {"Name": f"{node}/data"})
    assert await volumes(manager) == ["n1/data", "n2/data"]
    assert await volumes(manager, node=["n2"]) == ["n2/data"]
    answer = await manager("GET", "/volumes/data")
    assert answer.status == 404
    assert "write n1/data or n2/data" in answer.json()["message"]
    await manager.json("DELETE", "/volumes/n1/data")
    assert (names(n1), names(n2)) == ([], ["data"])


async def test_remove_takes_every_volume_of_the_name_or_says_what_is_left(manager, n1, n2):
    for node in ("n1", "n2"):
        await manager.json("POST", "/volumes/create", {"Name": f"{node}/data"})
    await manager.run("user", "n2", HostConfig={"Binds": ["data:/d"]})
    answer = await manager("DELETE", "/volumes/data")
    assert answer.status == 500
    assert re.search(
        "removing volume data failed on 1 of 2 nodes: n2: .*in use.*; n1: done",
        answer.json()["message"],
    )
    assert await volumes(manager) == ["data"]
    await manager.json("DELETE", "/containers/user?force=1")
    await manager.json("DELETE", "/volumes/data")
    assert await volumes(manager) == []


async def test_force_makes_a_missing_volume_no_error(manager):
    assert (await manager("DELETE", "/volumes/ghost?force=1")).status == 204


async def test_a_silent_node_is_named_and_its_volumes_left_out(manager, n1):
    for node in ("n1", "n2"):
        await manager.json("POST", "/volumes/create", {"Name": f"of-{node}", **on(node)})
    n1.cut()
    await manager.wait_until(lambda: any(not node.health for node in manager.cluster.nodes()))
    listed = await manager.json("GET", "/volumes")
    assert [volume["Name"] for volume in listed["Volumes"]] == ["of-n2"]
    assert listed["Warnings"] == ["node n1 does not answer: its volumes are left out"]
    answer = await manager("POST", "/volumes/create", {"Name": "of-n1", **on("n2")})
    assert answer.status == 503
    assert "volume of-n1 is on node n1, which does not answer" in answer.json()["message"]


async def make_named_and_nameless(manager):
    for node in ("n1", "n2"):
        await manager.json("POST", "/volumes/create", {"Name": f"of-{node}", **on(node)})
        await manager.json("POST", "/volumes/create", {**on(node)})


async def test_prune_by_a_new_client_never_takes_named_volumes_of_an_old_engine(manager, n1, n2):
    await make_named_and_nameless(manager)
    await manager.json("POST", "/volumes/prune", version="v1.44")
    assert n1.requests_like("POST /volumes/prune") == []
    assert len(names(n1)) == 2
    assert names(n2) == ["of-n2"]


async def test_prune_of_all_removes_named_volumes_without_the_parameter_on_old_engines(
    manager, n1, n2
):
    await make_named_and_nameless(manager)
    report = await manager.json("POST", "/volumes/prune", version="v1.44", all=["true"])
    assert len(report["VolumesDeleted"]) == 4
    (asked,) = n1.requests_like("POST /volumes/prune")
    assert "all" not in asked.request.target
    assert names(n1) + names(n2) == []


async def test_prune_by_an_old_client_removes_named_volumes(manager, n1, n2):
    await make_named_and_nameless(manager)
    await manager.json("POST", "/volumes/prune", version="v1.41", label=["on=n2"])
    assert (len(names(n1)), names(n2)) == (2, [])
