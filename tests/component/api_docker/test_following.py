"""Networks and volumes that nothing uses yet move to the node of the first container."""

import json
from functools import partial

import pytest
import trio

from swarmcore.container_config.references import FORMER_IDS, SUBNET_BY


def on(name):
    """Labels by which the test's strategy chooses a node."""
    return {"Labels": {"on": name}}


def volumes(engine):
    return sorted(volume["Name"] for volume in engine.state.volumes.all())


def networks(engine):
    names = (network["Name"] for network in engine.state.networks.all())
    return sorted(name for name in names if name not in ("bridge", "host", "none"))


@pytest.fixture
async def apart(manager):
    """Volumes ``va`` and ``vb`` on two nodes, and networks ``front`` and ``back`` on two nodes."""
    for kind, node, name in (
        ("volumes", "n1", "va"), ("volumes", "n2", "vb"),
        ("networks", "n1", "front"), ("networks", "n2", "back"),
    ):  # fmt: skip
        await manager.json("POST", f"/{kind}/create", {"Name": name, **on(node)})


BOTH = {"HostConfig": {"Binds": ["va:/a", "vb:/b"]}}


@pytest.mark.parametrize("node", [None, "n1", "n2"])
async def test_volumes_made_apart_meet_at_a_container(manager, n1, n2, apart, node):
    await manager.create("web", node, **BOTH)
    assert sorted([volumes(n1), volumes(n2)]) == [[], ["va", "vb"]]
    listed = await manager.json("GET", "/volumes")
    assert sorted(volume["Name"] for volume in listed["Volumes"]) == ["va", "vb"]
    for name in ("va", "vb"):
        assert (await manager.json("GET", f"/volumes/{name}"))["Labels"]["on"]


async def test_networks_made_apart_meet_at_a_container(manager, n1, n2, apart):
    both = {"EndpointsConfig": {"front": {}, "back": {}}}
    await manager.create("web", "n2", NetworkingConfig=both)
    assert (networks(n1), networks(n2)) == ([], ["back", "front"])


async def test_a_former_id_of_a_network_finds_it_after_a_move(manage, n1, n2):
    async with manage(n1, n2) as manager:
        made = await manager.json("POST", "/networks/create", {"Name": "web", **on("n1")})
        ids = [made["Id"]]
        for node in ("n2", "n1"):
            id = await manager.create("user", node, HostConfig={"NetworkMode": ids[0]})
            ids.append((await manager.json("GET", f"/networks/{ids[0][:12]}"))["Id"])
            await manager.json("DELETE", f"/containers/{id}")
        assert len(set(ids)) == 3
    async with manage(n1, n2) as manager:  # a new manager knows it, too
        for id in ids:
            shown = await manager.json("GET", f"/networks/{id}")
            assert (shown["Id"], shown["Labels"]) == (ids[-1], {"on": "n1"})
            assert [each["Id"] for each in await manager.json("GET", "/networks", id=[id])] == [
                ids[-1]
            ]
        (web,) = await manager.json("GET", "/networks", name=["web"])
        assert web["Labels"] == {"on": "n1"}
        await manager.json("DELETE", f"/networks/{ids[0]}")
    assert networks(n1) == networks(n2) == []


async def test_a_former_id_in_a_create_is_replaced_for_the_engine(manager, n2):
    made = await manager.json("POST", "/networks/create", {"Name": "web", **on("n1")})
    endpoints = {"EndpointsConfig": {made["Id"]: {}}}
    await manager.create("user", "n2", NetworkingConfig=endpoints)
    (asked,) = n2.requests_like("POST /containers/create")
    known = n2.state.networks.find("web")["Id"]
    assert list(json.loads(asked.body)["NetworkingConfig"]["EndpointsConfig"]) == [known]


async def test_a_move_keeps_only_a_subnet_that_the_client_chose(manager, n2):
    own = {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/16"}]}
    await manager.json("POST", "/networks/create", {"Name": "theirs", **on("n1")})
    await manager.json("POST", "/networks/create", {"Name": "own", "IPAM": own, **on("n1")})
    both = {"EndpointsConfig": {"theirs": {}, "own": {}}}
    await manager.create("user", "n2", NetworkingConfig=both)
    bodies = [json.loads(asked.body) for asked in n2.requests_like("POST /networks/create")]
    made = {body["Name"]: body for body in bodies}
    assert "Config" not in made["theirs"]["IPAM"]
    assert made["theirs"]["Labels"][SUBNET_BY] == "engine"
    assert SUBNET_BY not in made["own"]["Labels"]
    assert FORMER_IDS in made["own"]["Labels"]


async def test_connect_moves_an_unused_network(manager, n1, n2, apart):
    await manager.run("web", "n2")
    await manager.json("POST", "/networks/front/connect", {"Container": "web"})
    assert (networks(n1), networks(n2)) == ([], ["back", "front"])
    await manager.run("far", "n1")
    answer = await manager("POST", "/networks/front/connect", {"Container": "far"})
    assert answer.status == 409
    assert "network front is only on n2, container far is on n1" in answer.json()["message"]


async def test_a_network_that_a_container_waits_for_is_made_on_its_node(manager, n1, n2):
    await manager.run("load", "n2")
    await manager.create("web", "n2", HostConfig={"NetworkMode": "late"})
    answer = await manager("POST", "/containers/web/start")
    assert (answer.status, "network late not found" in answer.json()["message"]) == (404, True)
    await manager.json("POST", "/networks/create", {"Name": "late"})
    assert networks(n2) == ["late"]
    await manager.json("POST", "/containers/web/start")


async def test_a_start_moves_a_network_that_was_made_meanwhile(manager, n1, n2):
    await manager.create("web", "n2", HostConfig={"NetworkMode": "late"})
    making = n1.hang("POST /networks/create")
    await manager.create("other", "n1", HostConfig={"NetworkMode": "late"})
    async with trio.open_nursery() as nursery:
        asked = {"Name": "late", **on("n1")}
        nursery.start_soon(manager.json, "POST", "/networks/create", asked)
        await n1.wait_request("/networks/create")
        making.release()
    await manager.json("DELETE", "/containers/other")
    await manager.json("POST", "/containers/web/start")
    assert (networks(n1), networks(n2)) == ([], ["late"])


async def test_a_volume_that_was_used_stays(manager, n1, n2, apart):
    id = await manager.run("user", "n1", HostConfig={"Binds": ["va:/a"]})
    await manager.json("DELETE", f"/containers/{id}?force=1")
    answer = await manager("POST", "/containers/create?name=web", {
        "Image": "busybox", "Cmd": ["sleep", "600"], **on("n2"), "HostConfig": {"Binds": ["va:/a"]},
    })  # fmt: skip
    assert answer.status == 503
    assert (volumes(n1), volumes(n2)) == (["va"], ["vb"])


async def test_an_object_placed_by_name_or_label_stays(manager, n1, n2):
    await manager.json("POST", "/volumes/create", {"Name": "n1/va"})
    await manager.json("POST", "/networks/create", {"Name": "n1/web"})
    placed = {"com.docker.swarm.constraints": '["node==n1"]'}
    await manager.json("POST", "/networks/create", {"Name": "back", "Labels": placed})
    await manager.run("user", "n2")
    for name in ("web", "back"):
        answer = await manager("POST", f"/networks/{name}/connect", {"Container": "user"})
        assert answer.status == 409
    answer = await manager("POST", "/containers/create?name=other", {
        "Image": "busybox", "Cmd": ["true"], **on("n2"), "HostConfig": {"Binds": ["va:/a"]},
    })  # fmt: skip
    assert answer.status == 503
    assert (volumes(n2), networks(n2)) == ([], [])


@pytest.mark.parametrize("kind", ["volumes", "networks"])
async def test_a_move_fails_without_loss_if_the_old_object_cannot_be_removed(
    manager, n1, n2, apart, kind
):
    name = {"volumes": "va", "networks": "front"}[kind]
    n1.fail(f"DELETE /{kind}/*", 500, "disk on fire")
    host = {"Binds": ["va:/a"]} if kind == "volumes" else {"NetworkMode": "front"}
    await manager("POST", "/containers/create?name=web", {
        "Image": "busybox", "Cmd": ["sleep", "600"], **on("n2"), "HostConfig": host,
    })  # fmt: skip
    held = {"volumes": volumes, "networks": networks}[kind]
    assert (name in held(n1), name in held(n2)) == (True, False)
    assert (await manager.json("GET", f"/{kind}/{name}"))["Name"] == name


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_if_an_object_cannot_be_made_the_next_node_is_tried(manager, n1, n2, apart, status):
    n2.fail(
        "POST /networks/create", status, "all predefined address pools have been fully subnetted"
    )
    host = {"NetworkMode": "front", "Binds": ["vb:/b"]}
    await manager.run("load", "n1")
    await manager.create("web", HostConfig=host)
    assert (networks(n1), volumes(n1)) == (["front"], ["va", "vb"])


async def test_concurrent_creates_do_not_move_objects_in_two_directions(manager, n1, n2, apart):
    statuses = []

    async def create(name, node):
        asked = {"Image": "busybox", "Cmd": ["sleep", "600"], **on(node), **BOTH}
        answer = await manager("POST", f"/containers/create?name={name}", asked)
        statuses.append(answer.status)

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(create, f"c{number}", f"n{1 + number % 2}")
    assert sorted(statuses) == [201] * 4 + [503] * 4
    assert sorted([volumes(n1), volumes(n2)]) == [[], ["va", "vb"]]


async def test_an_object_is_shown_once_during_a_move(manager, n1, n2, apart):
    removing = n1.hang("DELETE /volumes/*")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(manager.create, "web", "n2", **BOTH))
        await n1.wait_request("DELETE /volumes/*")
        assert volumes(n1) == ["va"]
        assert volumes(n2) == ["va", "vb"]
        listed = await manager.json("GET", "/volumes")
        assert sorted(volume["Name"] for volume in listed["Volumes"]) == ["va", "vb"]
        assert (await manager.json("GET", "/volumes/va"))["Name"] == "va"
        removing.release()
    assert volumes(n1) == []


async def test_a_network_goes_to_an_engine_with_free_address_pools(manager, n1, n2):
    text = "could not find an available, non-overlapping IPv4 address pool among the defaults"
    n1.fail("POST /networks/create", 404, text)
    await manager.json("POST", "/networks/create", {"Name": "web"})
    assert (networks(n1), networks(n2)) == ([], ["web"])
    n2.fail("POST /networks/create", 404, text)
    answer = await manager("POST", "/networks/create", {"Name": "more"})
    assert (answer.status, answer.json()["message"]) == (404, text)
    answer = await manager("POST", "/networks/create", {"Name": "n1/more"})
    assert answer.status == 404
