"""An embedded engine as a whole: its identity, events, images, faults and restarts."""

import base64
import json

import httpx
import pytest
import trio

from swarmcore.model import GiB
from swarmcore.testing.embedded import EmbeddedEngine
from swarmcore.testing.ports import free_port


def client_of(engine):
    """Return a client without a time limit of its own."""
    base = f"http://{engine.address}"
    return httpx.AsyncClient(base_url=base, timeout=None, trust_env=False)


# ---- who it is


async def test_it_answers_pings_as_engines_do(docker):
    for method in ("GET", "HEAD"):
        answer = await docker(method, "/_ping")
        assert answer.status_code == 200
        assert answer.headers["api-version"] == "1.51"
        assert answer.headers["ostype"] == "linux"
        assert answer.text == ("OK" if method == "GET" else "")


async def test_it_says_what_it_was_told_to_be():
    engine = EmbeddedEngine(
        "n7",
        cpus=16,
        memory=64 * GiB,
        labels={"zone": "b"},
        api_version=(1, 41),
        version="20.10.24",
    )
    async with engine.serving(), client_of(engine) as http:
        info = (await http.get("/info")).json()
        version = (await http.get("/version")).json()
    assert (info["Name"], info["NCPU"], info["MemTotal"]) == ("n7", 16, 64 * GiB)
    assert (info["Labels"], info["ServerVersion"]) == (["zone=b"], "20.10.24")
    assert version["ApiVersion"] == "1.41"


async def test_info_counts(docker):
    await docker.run("web")
    await docker.run("frozen")
    await docker("POST", "/containers/frozen/pause")
    await docker.create("new")
    info = await docker.json("GET", "/info")
    counted = [info[f"Containers{state}"] for state in ("", "Running", "Paused", "Stopped")]
    assert (counted, info["Images"]) == ([3, 1, 1, 1], 1)


def test_no_two_engines_share_an_id():
    one, two = EmbeddedEngine("n1"), EmbeddedEngine("n1")
    assert one.state.id != two.state.id
    assert one.add_container("web").id != two.add_container("web").id
    networks = [{each["Id"] for each in engine.state.networks.all()} for engine in (one, two)]
    assert not networks[0] & networks[1]


def test_engines_of_one_seed_are_alike():
    assert EmbeddedEngine(seed=7).state.id == EmbeddedEngine(seed=7).state.id


# ---- events


def told(event):
    return event["Type"], event["Action"]


async def test_events_follow_a_container(docker):
    async with docker.lines("/events") as event:
        id = await docker.run("web", Labels={"a": "b"})
        await docker("POST", "/containers/web/stop")
        await docker("DELETE", "/containers/web")
        events = [await event() for _ in range(8)]
    assert [told(each) for each in events] == [
        ("container", "create"),
        ("network", "connect"),
        ("container", "start"),
        ("container", "kill"),
        ("container", "die"),
        ("network", "disconnect"),
        ("container", "stop"),
        ("container", "destroy"),
    ]
    start = events[2]
    assert (start["id"], start["status"], start["from"]) == (id, "start", "busybox")
    assert start["Actor"] == {
        "ID": id,
        "Attributes": {"a": "b", "image": "busybox", "name": "web"},
    }
    assert events[4]["Actor"]["Attributes"]["exitCode"] == "143"
    moments = [each["timeNano"] for each in events]
    assert moments == sorted(set(moments))


@pytest.mark.parametrize(
    ("filters", "actions"),
    [
        ({"event": ["start"]}, ["start"]),
        ({"type": ["network"]}, ["connect"]),
        (
            {"container": {"web": False}, "event": {"create": True, "start": True}},
            ["create", "start"],
        ),
        ({"label": ["a=b"]}, ["create", "start", "exec_create: true"]),
        ({"event": ["exec_create"]}, ["exec_create: true"]),
        ({"image": ["busybox"]}, ["create", "start", "exec_create: true"]),
        ({"container": ["other"]}, []),
    ],
    ids=str,
)
async def test_events_are_remembered_and_filtered(docker, engine, filters, actions):
    since = engine.state.clock() / 1e9
    await docker.run("web", Labels={"a": "b"})
    await docker.json("POST", "/containers/web/exec", {"Cmd": ["true"]})
    until = engine.state.clock() / 1e9 + 0.001
    answer = await docker(
        "GET",
        "/events",
        params={"since": f"{since:.9f}", "until": f"{until:.9f}", "filters": json.dumps(filters)},
    )
    assert [json.loads(line)["Action"] for line in answer.text.splitlines()] == actions


async def test_newer_clients_get_events_without_the_doubled_fields():
    async with EmbeddedEngine(api_version=(1, 52)).serving() as engine:
        engine.emit("container", "start", "x", {"image": "busybox"})
        async with client_of(engine) as http:
            answer = await http.get("/v1.52/events", params={"since": "1", "until": "2"})
            assert answer.text == ""
            until = engine.state.clock() / 1e9
            params = {"since": f"{until - 60:.9f}", "until": f"{until:.9f}"}
            assert "status" not in (await http.get("/v1.52/events", params=params)).json()
            assert "status" in (await http.get("/v1.51/events", params=params)).json()


# ---- images


async def test_an_image_is_pulled_with_progress(docker, engine):
    answer = await docker("POST", "/images/create?fromImage=nginx&tag=1.27")
    messages = [json.loads(line) for line in answer.text.splitlines()]
    assert messages[0] == {"status": "Pulling from library/nginx", "id": "1.27"}
    assert messages[-1]["status"] == "Status: Downloaded newer image for nginx:1.27"
    tags = [image["RepoTags"] for image in await docker.json("GET", "/images/json")]
    assert ["nginx:1.27"] in tags
    await docker.create("web", image="nginx:1.27")


async def test_an_unknown_image_is_not_pulled(docker):
    answer = await docker("POST", "/images/create?fromImage=acme/secret&tag=latest")
    assert answer.status_code == 404
    assert "pull access denied for acme/secret" in answer.json()["message"]


@pytest.mark.parametrize(("password", "status"), [("right", 200), ("wrong", 404)])
async def test_a_private_image_wants_its_password(docker, engine, password, status):
    engine.allow_pull("acme/secret", password="right")
    auth = base64.urlsafe_b64encode(json.dumps({"username": "u", "password": password}).encode())
    answer = await docker(
        "POST",
        "/images/create?fromImage=acme/secret&tag=latest",
        headers={"X-Registry-Auth": auth.decode()},
    )
    assert answer.status_code == status
    (pull,) = engine.requests_like("POST /images/create")
    assert pull.request.header("x-registry-auth") == auth.decode()


async def test_the_same_image_has_the_same_id_everywhere(engine):
    assert engine.add_image("nginx").id == EmbeddedEngine().add_image("nginx:latest").id


async def test_images_are_tagged_and_untagged(docker):
    await docker("POST", "/images/busybox/tag?repo=lab/box&tag=2")
    (image,) = await docker.json("GET", "/images/json")
    assert image["RepoTags"] == ["busybox:latest", "lab/box:2"]
    assert await docker.json("DELETE", "/images/lab/box:2") == [{"Untagged": "lab/box:2"}]
    removed = await docker.json("DELETE", "/images/busybox")
    assert removed[-1] == {"Deleted": image["Id"]}
    assert (await docker("GET", "/images/busybox/json")).status_code == 404


# ---- misbehaviour


async def test_a_scripted_failure_hits_as_often_as_told(docker, engine):
    engine.fail("POST /containers/*/start", 500, "no space left on device", times=1)
    await docker.create("web")
    answer = await docker("POST", "/v1.41/containers/web/start")
    assert (answer.status_code, answer.json()["message"]) == (500, "no space left on device")
    assert (await docker("POST", "/containers/web/start")).status_code == 204


async def test_a_hang_lasts_until_it_is_released(docker, engine):
    fault = engine.hang("/info")
    answers = []

    async def ask():
        answers.append(await docker.json("GET", "/info"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await engine.wait_request("/info")
        assert (await docker("GET", "/version")).status_code == 200
        assert answers == []
        fault.release()
    assert answers[0]["Name"] == "n1"


async def test_a_paused_engine_answers_nothing_until_it_is_resumed(docker, engine):
    engine.pause()
    with trio.move_on_after(0.1) as scope:
        await docker("GET", "/_ping")
    assert scope.cancelled_caught
    engine.resume()
    assert (await docker("GET", "/_ping")).status_code == 200


async def test_a_paused_engine_holds_its_events_back(docker, engine):
    async with docker.lines("/events") as event:
        engine.pause()
        engine.emit("container", "start", "x")
        with trio.move_on_after(0.1) as scope:
            await event()
        assert scope.cancelled_caught


async def test_a_dropped_request_gets_no_answer(docker, engine):
    engine.drop("/info", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await docker("GET", "/info")
    assert (await docker("GET", "/info")).status_code == 200


async def test_what_is_asked_with_a_lost_answer_is_done(docker, engine):
    engine.lose("POST /volumes/create", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await docker("POST", "/volumes/create", json={"Name": "data"})
    assert (await docker("GET", "/volumes/data")).status_code == 200


async def test_a_lie_changes_the_answer_and_nothing_else(docker, engine):
    engine.lie("GET /info", lambda info: {**info, "ID": "somebody else"})
    assert (await docker.json("GET", "/info"))["ID"] == "somebody else"
    engine.behave()
    assert (await docker.json("GET", "/info"))["ID"] == engine.state.id


async def test_connections_can_be_broken(docker, engine):
    async with docker.stream("/events") as answer:
        engine.drop_connections()
        assert await answer._stream.receive_some() == b""
    assert (await docker("GET", "/_ping")).status_code == 200


async def test_requests_are_recorded_with_their_bodies(docker, engine):
    await docker.create("web", Labels={"a": "b"})
    (made,) = engine.requests_like("POST /containers/create")
    assert made.request.query.get("name") == "web"
    assert json.loads(made.body)["Labels"] == {"a": "b"}


# ---- cut off, ended, started again


async def test_a_cut_engine_refuses_and_its_containers_live_on(docker, engine):
    await docker.run("web")
    engine.cut()
    with pytest.raises(httpx.TransportError):
        await docker("GET", "/_ping")
    await engine.mend()
    assert (await docker.state("web"))["Running"]


async def test_an_engine_comes_back_with_what_it_held():
    engine = EmbeddedEngine("n1", port=free_port())
    async with engine.serving():
        engine.add_container("web")
        engine.add_container("db", body={"HostConfig": {"RestartPolicy": {"Name": "always"}}})
        first = (engine.address, engine.state.id)
    assert (engine.address, engine.state.id) == first
    assert engine.container("web").state == "exited"
    async with engine.serving(), client_of(engine) as http:
        assert engine.address == first[0]
        rows = (await http.get("/containers/json?all=1")).json()
    assert {row["Names"][0]: row["State"] for row in rows} == {"/web": "exited", "/db": "running"}


async def test_of_two_restarted_containers_with_one_port_the_second_stays_stopped():
    engine = EmbeddedEngine("n1")
    wants = {
        "RestartPolicy": {"Name": "always"},
        "PortBindings": {"80/tcp": [{"HostPort": "8080"}]},
    }
    async with engine.serving(), client_of(engine) as http:
        for name in ("first", "second"):
            body = {"Image": "busybox", "HostConfig": wants}
            await http.post(f"/containers/create?name={name}", json=body)
            await http.post(f"/containers/{name}/start")
            await http.post(f"/containers/{name}/stop")
    async with engine.serving():
        states = [engine.container(name).state for name in ("first", "second")]
    assert sorted(states) == ["exited", "running"]


async def test_serving_ends_with_clients_and_programs_under_way():
    engine = EmbeddedEngine("n1")
    with trio.fail_after(60):
        async with engine.serving(), trio.open_nursery() as nursery:
            async with client_of(engine) as http:
                body = {"Image": "busybox", "Cmd": ["sleep", "1000"]}
                await http.post("/containers/create?name=web", json=body)
                await http.post("/containers/web/start")
            stream = await trio.open_tcp_stream("127.0.0.1", int(engine.address.split(":")[1]))
            await stream.send_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.receive_some()
            nursery.start_soon(stream.aclose)
    assert engine.container("web").exit_code == 137


def test_containers_can_be_there_before_anything_serves():
    engine = EmbeddedEngine("n1")
    for number in range(100):
        engine.add_container(f"web-{number}")
    assert len(engine.containers) == 100
    assert {each.state for each in engine.containers} == {"running"}


async def test_many_engines_run_side_by_side():
    engines = [EmbeddedEngine(f"n{number}") for number in range(200)]

    async def serve(engine, task_status):
        async with engine.serving():
            task_status.started()
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        for engine in engines:
            await nursery.start(serve, engine)
        async with httpx.AsyncClient(timeout=None, trust_env=False) as http:
            names = [
                (await http.get(f"http://{each.address}/info")).json()["Name"] for each in engines
            ]
        nursery.cancel_scope.cancel()
    assert names == [engine.name for engine in engines]


async def test_the_fixture_starts_engines_of_different_names(embedded_engine):
    async with embedded_engine() as one, embedded_engine(cpus=2) as two:
        assert (one.name, two.name, two.cpus) == ("n1", "n2", 2)
        assert one.address != two.address
