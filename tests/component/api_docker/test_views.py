"""Merged answers (lists, events and info) and relayed answers (inspect)."""

import time

import pytest
import trio


async def test_the_list_spans_the_engines_newest_first(manager):
    for name, node in [("a1", "n1"), ("b2", "n2"), ("c1", "n1")]:
        await manager.run(name, node)
    assert await manager.names() == ["/c1", "/b2", "/a1"]
    assert await manager.names("?limit=1") == ["/c1"]
    assert await manager.names(node=["n1"]) == ["/c1", "/a1"]
    assert await manager.names(name=["^b2$"]) == ["/b2"]
    assert await manager.names(ancestor=["busybox"], before=["c1"]) == ["/b2", "/a1"]
    sized = await manager.json("GET", "/containers/json?size=1")
    assert all("SizeRootFs" in item for item in sized)


async def test_names_as_classic_showed_them(manage, n1):
    async with manage(n1, **{"swarm.names": "classic"}) as manager:
        await manager.run("web")
        assert await manager.names() == ["/n1/web"]
        assert (await manager.json("GET", "/containers/n1/web/json"))["Name"] == "/web"


async def test_inspect_is_the_engines_own_document_with_the_node(manager, n2):
    ports = {"80/tcp": [{"HostPort": "18080"}]}
    body = {"ExposedPorts": {"80/tcp": {}}, "HostConfig": {"PortBindings": ports}}
    id = await manager.run("web", "n2", **body)
    shown = await manager.json("GET", "/containers/web/json")
    node = shown["Node"]
    assert (node["Name"], node["Addr"], node["IP"]) == ("n2", n2.address, "127.0.0.1")
    assert {each["HostIp"] for each in shown["NetworkSettings"]["Ports"]["80/tcp"]} == {"127.0.0.1"}
    for text in (id, id[:12], "n2/web"):
        assert (await manager.json("GET", f"/containers/{text}/json"))["Id"] == id
    listed = (await manager.json("GET", "/containers/json"))[0]
    assert [port["IP"] for port in listed["Ports"]] == ["127.0.0.1"]
    assert listed["Labels"]["com.docker.swarm.node.name"] == "n2"


async def test_events_of_all_engines_replayed_and_live_and_nothing_twice(manager):
    await manager.run("before", "n1")
    await manager.run("early", "n2")
    query = '/events?since=1&filters={"type":["container"],"event":["start"]}'
    async with manager.lines("GET", query) as following:
        past = [await following(), await following()]
        await manager.run("after", "n1")
        live = await following()
    assert [event["Actor"]["Attributes"]["name"] for event in (*past, live)] == [
        "before", "early", "after",
    ]  # fmt: skip
    assert [event["node"]["Name"] for event in (*past, live)] == ["n1", "n2", "n1"]
    assert all(event["status"] == "start" for event in past)


@pytest.mark.parametrize(("until", "told"), [("0", 1), ("1", 0)])
async def test_past_events_end_at_once_and_until_1970_is_ignored(manager, n1, until, told):
    await manager.run("web", "n1")
    with trio.fail_after(100):
        answer = await manager("GET", f"/events?until={until}", event=["start"])
    assert len(answer.body.splitlines()) == told


async def test_events_whose_end_passes_while_the_past_is_told_end_well(manager, n1, caplog):
    await manager.run("web", "n1")
    n1.delay("GET /events", 0.3, times=1)
    until = time.time() + 0.1
    answer = await manager("GET", f"/events?since=1&until={until:.9f}", event=["start"])
    assert len(answer.body.splitlines()) == 1
    assert "failed" not in caplog.text


async def test_followers_are_counted_and_leave(manager):
    async with manager.lines("GET", "/events"):
        assert (await manager.json("GET", "/info"))["NEventsListener"] == 1
    await manager.wait_until(lambda: manager.cluster.listeners == 0)


async def test_info_and_version(manager):
    info = await manager.json("GET", "/info")
    rows = dict(info["SystemStatus"])
    assert (rows["Nodes"], rows["Strategy"]) == ("2", "label")
    version = await manager.json("GET", "/version")
    assert (version["ApiVersion"], version["Version"]) == ("1.41", "20.10.24+swarmcore")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("version", ["", "v1.41"])
async def test_ping_has_the_headers_for_negotiation(manager, method, version):
    answer = await manager(method, "/_ping", version=version)
    headers = {key.lower(): value for key, value in answer.headers}
    assert (answer.status, answer.body) == (200, b"OK" if method == "GET" else b"")
    assert (headers[b"api-version"], headers[b"ostype"]) == (b"1.41", b"linux")
    assert headers[b"builder-version"] == b"2"


async def test_images_are_listed_once(manager, n1, n2):
    n1.add_image("only/here:1")
    await manager.cluster.engines()[0].refresh_images()
    listed = await manager.json("GET", "/images/json")
    tags = sorted(tag for image in listed for tag in image["RepoTags"])
    assert tags.count("only/here:1") == 1
    assert "only/here:1" in (await manager.json("GET", "/images/only/here:1/json"))["RepoTags"]
