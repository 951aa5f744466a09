"""An embedded engine has containers like a real one: states, names, ports, texts."""

import json

import pytest

PORT_80 = {"ExposedPorts": {"80/tcp": {}}}


def published(port):
    return {**PORT_80, "HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": port}]}}}


async def test_a_container_lives_from_create_to_remove(docker):
    id = await docker.create("web", Labels={"a": "b"})
    assert (await docker.state("web"))["Status"] == "created"
    await docker.json("POST", "/containers/web/start")
    (row,) = await docker.json("GET", "/containers/json")
    assert (row["Id"], row["Names"], row["State"]) == (id, ["/web"], "running")
    assert (row["Image"], row["Labels"]) == ("busybox", {"a": "b"})
    assert (await docker("POST", "/containers/web/stop")).status_code == 204
    assert await docker.json("GET", "/containers/json") == []
    (row,) = await docker.json("GET", "/containers/json?all=1")
    assert row["Status"].startswith("Exited (143)")
    assert (await docker("DELETE", "/containers/web")).status_code == 204
    assert (await docker("GET", "/containers/web/json")).status_code == 404


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["true"], 0),
        (["false"], 1),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "echo hi && false || exit 3; exit 4"], 3),
        (["sh", "-c", "nosuch"], 127),
        (["sleep", "0"], 0),
        (["sleep", "x"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_built_in_programs_end_with_their_code(docker, command, code):
    await docker.run("job", *command)
    assert await docker.wait("job") == code
    assert (await docker.state("job"))["ExitCode"] == code


async def test_any_other_program_runs_until_it_is_stopped(docker):
    await docker.run("web", "nginx", "-g", "daemon off;")
    assert (await docker.state("web"))["Running"]
    await docker("POST", "/containers/web/kill")
    assert await docker.wait("web") == 137


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "/containers/create?name=web", {"Image": "busybox"}, 409, "Conflict. The cont"),
        ("POST", "/containers/create?name=a%20b", {"Image": "busybox"}, 400, "Invalid container n"),
        ("POST", "/containers/create", {"Image": "nope"}, 404, "No such image: nope:latest"),
        ("POST", "/containers/create", {}, 400, "config cannot be empty"),
        ("POST", "/containers/create", None, 400, "invalid JSON: got EOF"),
        (
            "POST",
            "/containers/create",
            {"Image": "busybox", "Labels": {"a": ["b"]}},
            400,
            "array into Go struct field CreateRequest.Labels of type string",
        ),
        ("GET", "/containers/nope/json", None, 404, "No such container: nope"),
        ("DELETE", "/containers/web", None, 409, 'cannot remove container "web": container is run'),
        ("POST", "/containers/web/rename?name=old", None, 409, "Error when allocating new name: C"),
        ("POST", "/containers/web/unpause", None, 500, "is not paused"),
        ("POST", "/containers/web/kill?signal=NOPE", None, 400, "invalid signal: NOPE"),
        ("POST", "/containers/old/kill", None, 409, "is not running"),
        ("POST", "/containers/old/pause", None, 409, "is not running"),
        ("GET", "/containers/old/top", None, 409, "is not running"),
        ("POST", "/containers/old/exec", {"Cmd": ["true"]}, 409, "is not running"),
        ("POST", "/containers/web/exec", {}, 400, "No exec command specified"),
        (
            "POST",
            "/containers/web/exec",
            {"Cmd": 5},
            400,
            "number into Go struct field ExecOptions",
        ),
        (
            "POST",
            "/containers/web/exec",
            {"cmd": [1]},
            400,
            "number into ExecOptions.cmd.0 of type",
        ),
        ("POST", "/containers/web/exec", [], 400, "array into Go value of type container.ExecOpt"),
        ("POST", "/exec/nope/start", {"tty": "yes"}, 400, "string into Go struct field ExecStart"),
        ("POST", "/exec/nope/start", {}, 404, "No such exec instance: nope"),
        ("POST", "/containers/web/wait?condition=x", None, 400, 'invalid condition: "x"'),
        ("POST", "/containers/web/resize?h=x&w=1", None, 400, "invalid resize height"),
        ("GET", "/containers/web/logs", None, 400, "you must choose at least one stream"),
        ("GET", "/containers/web/archive", None, 400, "path"),
        ("GET", "/containers/web/archive?path=/no", None, 404, "Could not find the file /no in co"),
        ("GET", "/containers/json?filters=zzz", None, 400, "invalid filter"),
        ("GET", '/containers/json?filters={"x":["y"]}', None, 400, "invalid filter 'x'"),
        ("DELETE", "/images/busybox", None, 409, "is using its referenced image"),
        ("DELETE", "/networks/bridge", None, 403, "pre-defined network"),
        ("DELETE", "/volumes/nope", None, 404, "get nope: no such volume"),
        ("GET", "/events?since=5&until=1", None, 400, "cannot be after"),
        ("GET", "/swarm", None, 503, "This node is not a swarm manager"),
        ("GET", "/v1.99/info", None, 400, "client version 1.99 is too new"),
        ("GET", "/nope", None, 404, "page not found"),
        ("POST", "/build", None, 501, "builds are not supported by embedded engines"),
    ],
)
async def test_errors_have_dockers_status_and_text(docker, method, path, body, status, text):
    await docker.run("web")
    await docker.create("old")
    answer = await docker(method, path, body)
    assert answer.status_code == status
    assert text in answer.json()["message"]


async def test_starting_and_stopping_twice_changes_nothing(docker):
    await docker.run("web")
    assert (await docker("POST", "/containers/web/start")).status_code == 304
    await docker("POST", "/containers/web/stop")
    assert (await docker("POST", "/containers/web/stop")).status_code == 304


async def test_a_published_port_has_one_owner(docker):
    await docker.run("web", **published("8080"))
    (row,) = await docker.json("GET", "/containers/json")
    assert {(port["IP"], port["PublicPort"]) for port in row["Ports"]} == {
        ("0.0.0.0", 8080),
        ("::", 8080),
    }
    await docker.create("web2", **published("8080"))
    answer = await docker("POST", "/containers/web2/start")
    assert answer.status_code == 500
    assert "Bind for 0.0.0.0:8080 failed: port is already allocated" in answer.json()["message"]
    assert (await docker.state("web2"))["ExitCode"] == 128
    await docker("POST", "/containers/web/stop")
    assert (await docker("POST", "/containers/web2/start")).status_code == 204


async def test_a_range_of_ports_gives_the_first_free_one(docker):
    for number in range(2):
        await docker.run(f"web{number}", **published("9000-9001"))
    rows = await docker.json("GET", "/containers/json")
    assert [row["Ports"][0]["PublicPort"] for row in rows] == [9001, 9000]


@pytest.mark.parametrize("port", ["", "0"])
async def test_an_open_port_is_chosen_by_the_engine(docker, port):
    await docker.run("web", **published(port))
    (row,) = await docker.json("GET", "/containers/json")
    assert row["Ports"][0]["PublicPort"] >= 32768


async def test_names_are_invented_and_found_by_prefix(docker):
    id = await docker.create()
    name = (await docker.json("GET", f"/containers/{id[:10]}/json"))["Name"]
    assert "_" in name


async def test_a_renamed_container_frees_its_name(docker):
    await docker.run("web")
    await docker("POST", "/containers/web/rename", params={"name": "db"})
    assert (await docker.state("db"))["Running"]
    await docker.create("web")


async def test_a_paused_container_says_so(docker):
    await docker.run("web")
    await docker("POST", "/containers/web/pause")
    (row,) = await docker.json("GET", "/containers/json")
    assert row["State"] == "paused"
    assert row["Status"].endswith("(Paused)")
    await docker("POST", "/containers/web/unpause")
    assert (await docker.state("web"))["Status"] == "running"


async def test_a_container_that_removes_itself_is_gone_when_it_ends(docker):
    await docker.create("job", "true", HostConfig={"AutoRemove": True})
    async with docker.stream("/containers/job/wait?condition=removed", "POST") as answer:
        await docker("POST", "/containers/job/start")
        assert json.loads(await answer.rest()) == {"StatusCode": 0}
    assert (await docker("GET", "/containers/job/json")).status_code == 404


async def test_update_changes_what_inspect_shows(docker):
    await docker.run("web")
    await docker.json("POST", "/containers/web/update", {"Memory": 1 << 26})
    detail = await docker.json("GET", "/containers/web/json")
    assert detail["HostConfig"]["Memory"] == 1 << 26


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["db", "web"]),
        ({"name": ["^/web$"]}, ["web"]),
        ({"name": ["b"]}, ["db", "web"]),
        ({"label": ["tier"]}, ["web"]),
        ({"label": ["tier=back"]}, []),
        ({"status": ["exited"]}, ["job"]),
        ({"exited": ["7"]}, ["job"]),
        ({"ancestor": ["busybox"]}, ["db", "web"]),
        ({"since": ["web"]}, ["db"]),
        ({"before": ["db"], "status": ["running", "exited"]}, ["job", "web"]),
        ({"network": ["bridge"]}, ["db", "web"]),
        ({"volume": ["data"]}, ["db"]),
        ({"label": {"tier=front": True}}, ["web"]),
    ],
    ids=str,
)
async def test_the_list_is_filtered(docker, filters, names):
    await docker.run("web", Labels={"tier": "front"})
    await docker.run("job", "sh", "-c", "exit 7")
    await docker.wait("job")
    await docker.run("db", HostConfig={"Binds": ["data:/data"]})
    rows = await docker.json("GET", "/containers/json", params={"filters": json.dumps(filters)})
    assert [row["Names"][0][1:] for row in rows] == names


async def test_the_list_can_be_cut_short_and_told_sizes(docker):
    for name in ("a1", "b1", "c1"):
        await docker.create(name)
    (row,) = await docker.json("GET", "/containers/json?all=1&limit=1&size=1")
    assert (row["Names"], "SizeRootFs" in row) == (["/c1"], True)


async def test_networks_give_addresses_and_know_their_members(docker):
    made = await docker.json("POST", "/networks/create", {"Name": "lab"})
    id = await docker.run("web", HostConfig={"NetworkMode": "lab"})
    detail = await docker.json("GET", "/containers/web/json")
    endpoint = detail["NetworkSettings"]["Networks"]["lab"]
    assert (endpoint["NetworkID"], endpoint["IPAddress"]) == (made["Id"], "172.18.0.2")
    network = await docker.json("GET", "/networks/lab")
    assert network["Containers"][id]["Name"] == "web"
    assert (await docker("DELETE", "/networks/lab")).status_code == 403
    await docker("POST", "/containers/web/stop")
    assert (await docker("DELETE", "/networks/lab")).status_code == 204


async def test_a_volume_is_made_on_demand_and_guarded_while_used(docker):
    await docker.run("db", HostConfig={"Binds": ["data:/data"]})
    listed = await docker.json("GET", "/volumes")
    assert [volume["Name"] for volume in listed["Volumes"]] == ["data"]
    assert (await docker("DELETE", "/volumes/data")).status_code == 409
    await docker("DELETE", "/containers/db?force=1")
    assert (await docker("DELETE", "/volumes/data")).status_code == 204


async def test_a_restart_policy_brings_a_container_back(docker):
    policy = {"RestartPolicy": {"Name": "on-failure"}}
    async with docker.lines('/events?filters={"event":["start"]}') as event:
        await docker.run("job", "false", HostConfig=policy)
        for _ in range(2):
            assert (await event())["Actor"]["Attributes"]["name"] == "job"
    await docker("DELETE", "/containers/job?force=1")
