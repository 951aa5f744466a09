"""What the manager answers by itself: ping, lists, images, pulls, events."""

import json

import pytest
import trio
import trio.testing
from swarmcore_api_docker import images, pull, registries, system
from swarmcore_api_docker.container_list import ContainerList
from swarmcore_api_docker.events import follow_events

from swarmcore.errors import BadRequest, EngineUnreachable, NotFound, Unavailable
from swarmcore.messages import Answer, error_answer, json_answer
from swarmcore.model import State
from swarmcore.versions import ApiVersion

A, B = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.fixture
def engines(docker):
    return [
        docker.Engine(docker.node("n1", "10.0.0.1", docker.container("web"))),
        docker.Engine(docker.node("n2", "10.0.0.2", docker.container("db", state="exited"))),
    ]


@pytest.fixture
def cluster(docker, engines):
    return docker.Cluster(*engines)


@pytest.fixture
def ask(docker, cluster):
    async def ask(handler, method="GET", target="/v1.41/", **kwargs):
        exchange = docker.Exchange(cluster, method, target, **kwargs)
        await handler(exchange)
        return exchange

    return ask


# ---- the manager itself


@pytest.mark.parametrize(("method", "body"), [("GET", b"OK"), ("HEAD", b"")])
async def test_ping(ask, method, body):
    exchange = await ask(system.ping, method)
    assert (exchange.status, exchange.body) == (200, body)
    headers = dict(exchange.headers)
    assert headers[b"Builder-Version"] == b"2"
    assert headers[b"Cache-Control"] == b"no-cache, no-store, must-revalidate"


@pytest.mark.parametrize(
    ("nodes", "builder"),
    [
        ([{}, {}], b"2"),
        ([{}, {"api_version": ApiVersion(1, 38)}], b"1"),
        ([{}, {"labels": {"ostype": "windows"}}], b"1"),
        ([{}, {"api_version": ApiVersion(1, 38), "state": State.UNHEALTHY}], b"2"),
        ([], b"1"),
    ],
    ids=["all can", "an old one", "a Windows one", "an old one that is down", "none"],
)
async def test_buildkit_is_announced_where_every_engine_can(docker, nodes, builder):
    engines = [docker.Engine(docker.node(**node)) for node in nodes]
    exchange = docker.Exchange(docker.Cluster(*engines), "GET", "/_ping")
    await system.ping(exchange)
    assert dict(exchange.headers)[b"Builder-Version"] == builder


async def test_ping_and_version_agree(ask, cluster):
    assert (await ask(system.show_version)).json["ApiVersion"] == str(cluster.api_version)


async def test_info_is_whole(ask):
    document = (await ask(system.show_info)).json
    assert document["Containers"] == 2
    assert ["Nodes", "2"] in document["SystemStatus"]


async def test_a_login_is_tried_by_one_engine(ask, engines):
    engines[0].answers["/auth"] = json_answer({"Status": "Login Succeeded"})
    login = await ask(registries.check_login, "POST", "/auth", body={"username": "alice"})
    assert login.json == {"Status": "Login Succeeded"}
    assert engines[1].asked == []


async def test_a_login_goes_to_the_next_engine_when_one_cannot_be_reached(ask, engines):
    engines[0].answers["/auth"] = EngineUnreachable("n1", "gone")
    engines[1].answers["/auth"] = json_answer({"message": "unauthorized"}, 401)
    login = await ask(registries.check_login, "POST", "/auth", body={"username": "alice"})
    assert (login.status, login.json) == (401, {"message": "unauthorized"})


# ---- containers


async def test_the_list_is_an_array_of_what_is_chosen(ask):
    show = ContainerList("plain").show
    assert [item["Names"] for item in (await ask(show)).json] == [["/web"]]
    assert len((await ask(show, target="/containers/json?all=1")).json) == 2
    assert (await ask(show, target='/containers/json?filters={"name":["no"]}')).body == b"[]\n"


async def test_sizes_are_asked_of_the_engines_that_have_something_to_show(ask, engines):
    web = next(iter(engines[0].node.containers))
    engines[0].answers["/containers/json"] = json_answer([{"Id": web, "SizeRootFs": 7}])
    shown = (await ask(ContainerList("plain").show, target="/containers/json?size=1")).json
    assert [item["SizeRootFs"] for item in shown] == [7]
    assert web in engines[0].asked[0][1]
    assert engines[1].asked == []


async def test_an_engine_that_does_not_tell_sizes_costs_only_them(ask, engines, docker):
    engines[0].answers["/containers/json"] = docker.Failure("n1", "gone")
    shown = (await ask(ContainerList("plain").show, target="/containers/json?size=1")).json
    assert [item["Names"] for item in shown] == [["/web"]]
    assert "SizeRootFs" not in shown[0]


# ---- images


@pytest.fixture
def tagged(engines):
    """``tool:1`` is another image on n1 than on n2 and n3."""
    for engine, id in zip(engines, (A, B), strict=True):
        engine.node.images = {id: {"Id": id, "RepoTags": ["tool:1"], "Created": 1, "Size": 1}}


async def test_the_image_list_is_the_union_by_id(ask, tagged):
    shown = (await ask(images.show_list)).json
    assert sorted(image["Id"] for image in shown) == [A, B]


async def test_images_of_one_node_or_of_a_healthy_one(ask, tagged, engines):
    target = '/images/json?filters={"node":["n2"]}'
    assert [image["Id"] for image in (await ask(images.show_list, target=target)).json] == [B]
    engines[1].node.state = State.UNHEALTHY
    assert [image["Id"] for image in (await ask(images.show_list)).json] == [A]


async def test_what_the_caches_lack_is_asked_of_the_engines(ask, tagged, engines):
    for engine in engines:
        engine.answers["/images/json"] = json_answer([{"Id": A, "SharedSize": 9}])
    shown = (await ask(images.show_list, target="/v1.42/images/json?shared-size=1&all=0")).json
    assert [image["SharedSize"] for image in shown] == [9]
    assert engines[0].asked[0][1] == "/images/json?all=0&shared-size=1"


async def test_an_old_parameter_is_a_reference_filter(ask, tagged):
    assert (await ask(images.show_list, target="/v1.30/images/json?filter=other")).json == []


async def test_inspect_asks_the_engine_that_most_agree_with(ask, tagged, engines, cluster, docker):
    third = docker.Engine(docker.node("n3", "10.0.0.3", images=engines[1].node.images))
    cluster._engines.append(third)
    exchange = await ask(
        images.inspect, target="/images/tool:1/json?manifests=1", params={"name": "tool:1"}
    )
    assert exchange.relayed == (engines[1], "/images/tool:1/json?manifests=1")


async def test_inspect_of_an_unknown_image_has_dockers_text(ask):
    with pytest.raises(NotFound, match="No such image: ghost:latest"):
        await ask(images.inspect, params={"name": "ghost"})


# ---- pulling

AUTH = ((b"X-Registry-Auth", b"secret"), (b"Host", b"x"), (b"X-Meta-Team", b"t"))
TARGET = "/v1.41/images/create?fromImage=team/tool&tag=1"


def lines(*messages):
    return [json.dumps(message).encode() + b"\n" for message in messages]


async def pulled(ask, target=TARGET):
    return await ask(pull.create_image, "POST", target, headers=AUTH)


async def test_one_target_looks_like_one_engine(ask, engines, cluster):
    engines[1].node.state = State.UNHEALTHY
    progress = [{"status": "Pulling", "id": "1"}, {"status": "Done"}]
    engines[0].answers["/images/create"] = (200, lines(*progress))
    exchange = await pulled(ask)
    assert (exchange.status, exchange.lines) == (200, progress)
    assert cluster.pulled == "team/tool:1"
    _, path, headers = engines[0].asked[0]
    assert path == "/images/create?fromImage=team%2Ftool&tag=1"
    assert headers == (AUTH[0], AUTH[2])
    assert engines[0].refreshed == ["images"]


async def test_several_targets_have_an_id_per_node_and_layer(ask, engines):
    for engine in engines:
        engine.answers["/images/create"] = (
            200,
            lines({"status": "x", "id": "1"}, {"status": "end"}),
        )
    shown = (await pulled(ask)).lines
    assert {line.get("id", line["status"]) for line in shown} == {
        "n1: 1", "n2: 1", "n1: end", "n2: end",
    }  # fmt: skip


async def test_a_line_may_come_in_pieces_and_without_a_newline(ask, engines):
    engines[1].node.state = State.UNHEALTHY
    whole = b'{"status":"a"}\n{"status":"b"}'
    engines[0].answers["/images/create"] = (200, [whole[:5], whole[5:17], whole[17:]])
    assert [line["status"] for line in (await pulled(ask)).lines] == ["a", "b"]


async def test_when_all_refuse_the_answer_is_theirs(ask, engines):
    for engine in engines:
        engine.answers["/images/create"] = error_answer(404, "manifest unknown")
    exchange = await pulled(ask)
    assert (exchange.status, exchange.json) == (404, {"message": "manifest unknown"})
    assert exchange.chunks == []


async def test_a_partial_failure_is_the_last_line_and_names_the_node(ask, engines):
    engines[0].answers["/images/create"] = (200, lines({"status": "ok", "id": "1"}))
    engines[1].answers["/images/create"] = error_answer(500, "no space")
    shown = (await pulled(ask)).lines
    assert shown[-1]["errorDetail"]["message"] == "pull failed on 1 of 2 nodes: n2: no space"
    assert shown[-1]["error"] == shown[-1]["errorDetail"]["message"]
    assert (engines[0].refreshed, engines[1].refreshed) == (["images"], [])


@pytest.mark.parametrize(
    "ending",
    [
        lines({"errorDetail": {"message": "toomanyrequests"}, "error": "toomanyrequests"}),
        lines({"error": "toomanyrequests"}),
    ],
    ids=["detail", "text alone"],
)
async def test_an_error_in_the_stream_is_told_once_at_the_end(ask, engines, ending):
    engines[1].node.state = State.UNHEALTHY
    engines[0].answers["/images/create"] = (200, lines({"status": "x"}) + ending)
    shown = (await pulled(ask)).lines
    assert [line.get("error") for line in shown] == [None, "toomanyrequests"]
    assert engines[0].refreshed == []


async def test_an_engine_lost_in_the_middle_is_an_error_line(ask, engines, docker):
    engines[1].node.state = State.UNHEALTHY
    lost = docker.Failure("n1", "n1 went away")
    engines[0].answers["/images/create"] = (200, [*lines({"status": "x"}), lost])
    assert (await pulled(ask)).lines[-1]["error"] == "n1 went away"


async def test_a_client_that_leaves_ends_every_pull(ask, engines, docker, cluster, autojump_clock):
    for engine in engines:
        engine.answers["/images/create"] = (200, [*lines({"status": "x"}), trio.Event()])
    with trio.move_on_after(1) as leaving:
        await pulled(ask)
    assert leaving.cancelled_caught


async def test_a_client_that_leaves_before_any_progress_ends_every_pull(
    engines, docker, cluster, nursery
):
    for engine in engines:
        engine.answers["/images/create"] = (200, [trio.Event()])
    exchange = docker.Exchange(cluster, "POST", TARGET)
    nursery.start_soon(pull.create_image, exchange)
    await trio.testing.wait_all_tasks_blocked()
    exchange.watched.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert nursery.child_tasks == frozenset()


async def test_pull_needs_a_name(ask):
    with pytest.raises(BadRequest, match="fromImage"):
        await pulled(ask, "/images/create")


async def test_without_engines_a_pull_is_not_possible_now(docker):
    exchange = docker.Exchange(docker.Cluster(), "POST", TARGET)
    with pytest.raises(Unavailable):
        await pull.create_image(exchange)


# ---- events


def actions(exchange):
    return [line["Action"] for line in exchange.lines]


async def test_live_events_pass_the_filters(ask, cluster, docker):
    cluster.events = [docker.event("start"), docker.event("pull", "image"), docker.event("die")]
    exchange = await ask(follow_events, target='/v1.41/events?filters={"type":["container"]}')
    assert actions(exchange) == ["start", "die"]
    assert dict(exchange.headers) == {b"Content-Type": b"application/json"}
    assert exchange.lines[0]["node"]["Name"] == "n1"


async def test_the_past_of_all_engines_comes_in_order_and_nothing_twice(
    ask, cluster, engines, docker
):
    engines[0].answers["/events"] = Answer(200, body=b"\n".join([
        docker.event_line("create", time_nano=1), docker.event_line("start", time_nano=3),
    ]))  # fmt: skip
    engines[1].answers["/events"] = Answer(200, body=docker.event_line("die", time_nano=2) + b"\n")
    cluster.events = [
        docker.event("start", "container", 3, node=engines[0].node),
        docker.event("stop", "container", 4, node=engines[0].node),
    ]
    exchange = await ask(follow_events, target="/v1.41/events?since=1")
    assert actions(exchange) == ["create", "die", "start", "stop"]
    assert [line["node"]["Name"] for line in exchange.lines] == ["n1", "n2", "n1", "n1"]


async def test_an_end_in_the_past_replays_and_closes(ask, cluster, engines, docker):
    cluster.events, cluster.events_end = [docker.event("live")], False
    engines[0].answers["/events"] = Answer(200, body=docker.event_line("die"))
    engines[1].answers["/events"] = docker.Failure("n2", "gone")
    exchange = await ask(follow_events, target="/v1.41/events?since=1&until=100.5")
    assert actions(exchange) == ["die"]
    assert engines[0].asked[0][1] == "/events?since=1.000000000&until=100.500000000"


async def test_an_end_in_the_future_is_kept(ask, cluster, engines, docker, autojump_clock):
    cluster.events, cluster.events_end = [docker.event("live")], False
    for engine in engines:
        engine.answers["/events"] = Answer(200)
    exchange = await ask(follow_events, target="/v1.41/events?until=4102444800")
    assert actions(exchange) == ["live"]


async def test_an_end_before_the_beginning_is_refused(ask):
    with pytest.raises(BadRequest, match="cannot be after"):
        await ask(follow_events, target="/v1.41/events?since=20&until=10")
