"""A container's life through the manager: every change is visible when its request returns."""

import pytest
import trio

from swarmcore.http.messages import find_header
from swarmcore.model import State


async def test_a_containers_life(manager, n1, n2):
    id = await manager.create("web", "n2")
    assert n2.container("web").id == id
    assert await manager.names() == []
    assert await manager.names("?all=1") == ["/web"]
    for verb, state in [
        ("start", "running"), ("pause", "paused"), ("unpause", "running"),
        ("restart?t=0", "running"), ("stop?t=0", "exited"), ("start", "running"),
        ("kill", "exited"),
    ]:  # fmt: skip
        await manager.json("POST", f"/containers/web/{verb}")
        assert (await manager.json("GET", "/containers/json?all=1"))[0]["State"] == state, verb
    await manager.json("POST", "/containers/web/rename?name=crate")
    assert await manager.names("?all=1") == ["/crate"]
    await manager.json("DELETE", f"/containers/{id[:12]}")
    assert await manager.names("?all=1") == []
    assert list(n2.containers) == []


async def test_create_passes_the_engines_answer_on(manager, n1):
    n1.lie("POST /containers/create", lambda answer: {**answer, "Warnings": ["careful"]})
    body = {"Image": "busybox", "Labels": {"on": "n1"}}
    answer = await manager("POST", "/containers/create?name=web", body)
    assert (answer.status, answer.json()["Warnings"]) == (201, ["careful"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/containers/ghost/json", None, 404, "No such container: ghost"),
        ("POST", "/containers/ghost/start", None, 404, "No such container: ghost"),
        ("POST", "/exec/ghost/start", {"Detach": True}, 404, "No such exec instance: ghost"),
        ("GET", "/images/ghost/json", None, 404, "No such image: ghost:latest"),
        ("POST", "/containers/create", [], 400, "config cannot be empty"),
        ("GET", "/containers/json?limit=x", None, 500, "strconv.Atoi"),
        ("GET", '/containers/json?filters={"x":["y"]}', None, 400, "invalid filter 'x'"),
        ("GET", "/containers/json?filters=[", None, 400, "invalid filter"),
        ("GET", "/events?since=never", None, 500, "strconv.ParseInt"),
        ("POST", "/containers/web/copy", None, 404, "page not found"),
        ("POST", "/build/cancel", None, 400, "build ID not provided"),
        ("GET", "/networks/ghost", None, 404, "network ghost not found"),
        ("DELETE", "/networks/ghost", None, 404, "network ghost not found"),
        ("GET", '/networks?filters={"x":["y"]}', None, 400, "invalid filter 'x'"),
        ("POST", "/networks/create", [], 400, "a JSON object"),
        ("POST", "/networks/create", {"Name": "moon/net"}, 400, "no node is called moon"),
        ("POST", "/networks/bridge/connect", {"Container": "ghost"}, 404, "container: ghost"),
        ("GET", "/volumes/ghost", None, 404, "get ghost: no such volume"),
        ("DELETE", "/volumes/ghost", None, 404, "get ghost: no such volume"),
        ("GET", '/volumes?filters={"dangling":["x"]}', None, 400, "invalid filter 'dangling=[x]'"),
        ("PUT", "/volumes/data", {}, 503, "swarm is unavailable"),
        ("GET", "/swarm", None, 503, "This node is not a swarm manager"),
        ("GET", "/nonsense", None, 404, "page not found"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_bad_input_gets_dockers_status_and_a_json_message(
    manager, method, path, body, status, message
):
    answer = await manager(method, path, body)
    assert answer.status == status
    assert message in answer.json()["message"]


async def test_a_name_belongs_to_one_container_of_the_cluster(manager):
    await manager.create("web", "n1")
    await manager.create("other", "n2")
    body = {"Image": "busybox", "Labels": {"on": "n2"}}
    for method, path, sent in [
        ("POST", "/containers/create?name=web", body),
        ("POST", "/containers/other/rename?name=web", None),
    ]:
        answer = await manager(method, path, sent)
        assert answer.status == 409
        assert 'The container name "/web" is already in use' in answer.json()["message"]


async def test_wait_answers_at_once_and_the_cache_knows_the_end_it_reports(manager):
    await manager.run("web", "n2")
    async with manager.lines("POST", "/containers/web/wait") as following:
        await manager.json("POST", "/containers/web/kill")
        assert (await following())["StatusCode"] == 137
    assert await manager.names(status=["exited"]) == ["/web"]


async def test_a_container_that_removes_itself_is_gone_when_wait_returns(manager):
    await manager.run("brief", "n1", HostConfig={"AutoRemove": True})
    async with manager.lines("POST", "/containers/brief/wait?condition=removed") as following:
        await manager.json("POST", "/containers/brief/kill")
        await following()
    await manager.wait_until(lambda: not list(manager.cluster.containers()))


async def test_an_exec_is_found_by_its_id_alone(manager, manage, n1, n2):
    await manager.run("web", "n2")
    asked = {"Cmd": ["true"], "AttachStdout": True}
    id = (await manager.json("POST", "/containers/web/exec", asked))["Id"]
    assert (await manager.json("GET", f"/exec/{id}/json"))["ContainerID"] == n2.container("web").id
    async with manage(n1, n2) as another:
        assert (await another.json("GET", f"/exec/{id}/json"))["ID"] == id


@pytest.mark.parametrize(
    ("terminal", "kind"), [(False, b"multiplexed-stream"), (True, b"raw-stream")]
)
@pytest.mark.parametrize("node", ["n1", "n2"])
async def test_the_output_of_an_exec_has_the_type_of_the_clients_version(
    manager, node, terminal, kind
):
    await manager.run("web", node)
    asked = {"Cmd": ["echo", "hi"], "AttachStdout": True}
    id = (await manager.json("POST", "/containers/web/exec", asked))["Id"]
    started = manager.hijack(f"/exec/{id}/start", {"tty": terminal}, version="v1.45")
    async with started as (head, _):
        assert head.status == 101
        assert find_header(head.headers, b"content-type") == b"application/vnd.docker." + kind


async def test_a_detached_exec_has_no_output_and_no_type(manager):
    await manager.run("web", "n1")
    id = (await manager.json("POST", "/containers/web/exec", {"Cmd": ["true"]}))["Id"]
    answer = await manager("POST", f"/exec/{id}/start", {"Detach": True}, version="v1.45")
    assert (answer.status, find_header(answer.headers, b"content-type")) == (200, None)


async def test_an_old_engine_refuses_the_options_of_an_exec_itself(manager):
    await manager.run("web", "n1")
    id = (await manager.json("POST", "/containers/web/exec", {"Cmd": ["true"]}))["Id"]
    answer = await manager("POST", f"/exec/{id}/start", {"Tty": 1}, version="v1.45")
    assert (answer.status, "ExecStartOptions.Tty" in answer.message) == (400, True)


@pytest.mark.parametrize("verb", ["attach", "exec"])
@pytest.mark.parametrize("ending", ["cut", "drop_connections"])
async def test_a_tunnel_ends_for_the_client_when_its_engine_is_lost(manager, n2, verb, ending):
    await manager.run("web", "n2")
    path, body = "/containers/web/attach?stream=1&stdin=1&stdout=1", None
    if verb == "exec":
        asked = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True}
        id = (await manager.json("POST", "/containers/web/exec", asked))["Id"]
        path, body = f"/exec/{id}/start", {}
    async with manager.hijack(path, body) as (head, stream):
        assert head.status == 101
        getattr(n2, ending)()
        with trio.fail_after(60):
            assert await stream.receive_some() == b""


async def test_archives_go_both_ways_through_the_manager(manager):
    await manager.run("web", "n2")
    head = await manager("HEAD", "/containers/web/archive?path=/etc")
    assert head.status == 200
    assert b"x-docker-container-path-stat" in {key.lower() for key, _ in head.headers}
    tar = (await manager("GET", "/containers/web/archive?path=/etc")).body
    assert len(tar) % 512 == 0


async def test_a_node_that_hangs_is_named_and_the_others_go_on(manager, n1, n2):
    await manager.run("far", "n1")
    await manager.run("near", "n2")
    n1.cut()
    node = next(node for node in manager.cluster.nodes() if node.name == "n1")
    with trio.fail_after(60):
        while node.state is State.HEALTHY:
            await trio.sleep(0.05)
            assert "/near" in await manager.names()
    assert await manager.names() == ["/near"]
    listed = await manager.json("GET", "/containers/json?all=1", name=["far"])
    assert listed[0]["Status"] == "Host Down"
    answer = await manager("GET", "/containers/far/json")
    assert answer.status == 503
    assert "n1" in answer.json()["message"]


async def test_updates_at_once_never_get_more_than_a_node_has(manager, n1):
    statuses = []

    async def grow(name, memory):
        answer = await manager("POST", f"/containers/{name}/update", {"Memory": memory})
        statuses.append(answer.status)
        if answer.status == 409:
            assert "no room for more: memory (needs " in answer.message

    for name in ("one", "two", "three"):
        await manager.create(name, "n1", HostConfig={"Memory": n1.memory // 10})
    async with trio.open_nursery() as nursery:
        for name in ("one", "two", "three"):
            nursery.start_soon(grow, name, n1.memory * 6 // 10)
    assert sorted(statuses) == [200, 409, 409]
    (node,) = (node for node in manager.cluster.nodes() if node.name == "n1")
    assert node.used_memory == n1.memory * 6 // 10 + 2 * (n1.memory // 10)
    assert dict(node.reservations) == {}
    for name in ("one", "two", "three"):
        await grow(name, n1.memory // 20)
    assert statuses[3:] == [200, 200, 200]
