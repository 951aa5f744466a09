"""Requests about one container reach its engine, and the cache is updated before the answer."""

import json

import pytest
from swarmcore_api_docker import containers
from swarmcore_api_docker.containers.create import new_swarm_id

from swarmcore.errors import BadRequest, NotFound, Unavailable
from swarmcore.http.messages import Answer, error_answer, json_answer
from swarmcore.image_supply.transfer import ImageTransfer
from swarmcore.model import State

HANDLERS = {
    (route.method, route.template): route.handler
    for route in containers.routes(ImageTransfer(), "plain", classic=False)
}


@pytest.fixture
def web(docker):
    return docker.container("web")


@pytest.fixture
def engine(docker, web):
    return docker.Engine(docker.node("n1", "10.0.0.1", web))


@pytest.fixture
def cluster(docker, engine):
    engines = [docker.Engine(docker.node("n0", "10.0.0.9")), engine]
    for each in engines:
        each.answers["/exec/ghost/json"] = error_answer(404, "no such exec")
    return docker.Cluster(*engines)


@pytest.fixture
def ask(docker, cluster):
    """Send one request through its handler; return the exchange."""

    async def ask(method, template, name="web", query="", answer=None, **kwargs):
        params = {"name": name, "id": name, "checkpoint": "c1"}
        target = f"/v1.41{template.format(**params)}{query}"
        exchange = docker.Exchange(cluster, method, target, params=params, **kwargs)
        exchange.engine_answer = answer or Answer(204)
        await HANDLERS[method, template](exchange)
        return exchange

    return ask


CARRIED = [
    key for key in HANDLERS
    if key[1].startswith("/containers/{name}/") and key[1].split("/")[-1] not in ("rename", "json")
]  # fmt: skip


@pytest.mark.parametrize(("method", "template"), CARRIED, ids=" ".join)
async def test_verbs_that_start_a_container_take_a_turn_at_its_engine(
    ask, cluster, engine, method, template
):
    await ask(method, template, answer=json_answer({"Id": "e1"}, 201))
    starts = template.endswith(("/start", "/restart"))
    assert cluster.turns == ([engine] if starts else [])


@pytest.mark.parametrize(("method", "template"), CARRIED, ids=" ".join)
async def test_a_path_gets_the_id_as_one_segment_and_the_query_as_it_came(
    ask, web, engine, method, template
):
    answer = json_answer({"Id": "e1"}, 201)
    exchange = await ask(method, template, query="?a=%2Fx&a=b+c", answer=answer)
    suffix = template.removeprefix("/containers/{name}").format(checkpoint="c1")
    assert exchange.relayed == (engine, f"/containers/{web.id}{suffix}?a=%2Fx&a=b+c")


@pytest.mark.parametrize(
    "verb", ["start", "stop", "restart", "kill", "pause", "unpause", "update", "wait"]
)
async def test_a_verb_that_changes_the_container_has_it_read_anew(ask, web, engine, verb):
    await ask("POST", f"/containers/{{name}}/{verb}")
    assert engine.refreshed == [web.id]


#: Where engines read the body, or numbers of the query, before they look for the object.
READ_FIRST = [
    ("POST", f"/containers/{{name}}/{verb}") for verb in ("exec", "update", "resize", "checkpoints")
] + [("POST", "/exec/{id}/start"), ("POST", "/exec/{id}/resize")]


@pytest.mark.parametrize(("method", "template"), READ_FIRST, ids=" ".join)
async def test_an_engine_answers_for_an_unknown_container_if_it_reads_the_body_first(
    ask, method, template
):
    exchange = await ask(method, template, name="ghost")
    path = template.replace("{name}", "ghost").replace("{id}", "ghost")
    assert exchange.relayed[1] == path


@pytest.mark.parametrize(
    ("method", "template"),
    [key for key in HANDLERS if "{" in key[1] and key not in READ_FIRST],
    ids=" ".join,
)
async def test_an_unknown_container_or_exec_is_not_found(ask, method, template):
    with pytest.raises(NotFound, match=r"No such (container|exec instance): ghost"):
        await ask(method, template, name="ghost", query="?name=new")


async def test_a_node_that_does_not_answer_is_named(ask, engine):
    engine.node.state = State.UNHEALTHY
    with pytest.raises(Unavailable, match="n1"):
        await ask("POST", "/containers/{name}/start")


@pytest.mark.parametrize("status", [204, 404])
async def test_a_removed_container_is_forgotten(ask, web, engine, status):
    await ask("DELETE", "/containers/{name}", query="?force=1", answer=Answer(status))
    assert engine.forgotten == [web.id]


async def test_a_refused_removal_forgets_nothing(ask, web, engine):
    await ask("DELETE", "/containers/{name}", answer=Answer(409))
    assert (engine.forgotten, engine.refreshed) == ([], [web.id])


@pytest.mark.parametrize("text", ["web/db", "/web/db", "n1/web/db"])
async def test_removing_a_link_keeps_its_name_and_the_container(docker, text):
    engine = docker.Engine(
        docker.node("n1", "10.0.0.1", docker.container("db", names=("db", text)))
    )
    exchange = docker.Exchange(
        docker.Cluster(engine), "DELETE", f"/v1.41/containers/{text}?link=1", params={"name": text}
    )
    await HANDLERS["DELETE", "/containers/{name}"](exchange)
    assert exchange.relayed == (engine, "/containers/web/db?link=1")
    assert engine.forgotten == []


async def test_rename_goes_through_the_cluster(ask, cluster):
    exchange = await ask("POST", "/containers/{name}/rename", query="?name=/crate")
    assert cluster.renamed == [("web", "crate")]
    assert exchange.status == 204


async def test_a_rename_without_a_name_is_refused(ask):
    with pytest.raises(BadRequest, match="may be empty"):
        await ask("POST", "/containers/{name}/rename")


DOCUMENT = {
    "Id": "x", "Unknown": {"kept": [1, None]},
    "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
    "NetworkSettings": {"Ports": {"80/tcp": [
        {"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"},
    ], "81/tcp": None, "82/tcp": [{"HostIp": "10.9.9.9", "HostPort": "82"}]}},
}  # fmt: skip


async def inspected(ask, document):
    answer = Answer(200, (), json.dumps(document).encode() + b"\n")
    return (await ask("GET", "/containers/{name}/json", answer=answer)).json


async def test_inspect_adds_the_node_and_reachable_ports(ask, engine):
    engine.node.labels = {"zone": "eu"}
    shown = await inspected(ask, DOCUMENT)
    assert shown.pop("Node") == {
        "ID": engine.node.id, "IP": "10.0.0.1", "Addr": "10.0.0.1:2375", "Name": "n1",
        "Cpus": 4, "Memory": 2**31, "Labels": {"zone": "eu"},
    }  # fmt: skip
    assert shown.pop("NetworkSettings") == {"Ports": {
        "80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "8080"}], "81/tcp": None,
        "82/tcp": [{"HostIp": "10.9.9.9", "HostPort": "82"}],
    }}  # fmt: skip
    assert shown == {key: DOCUMENT[key] for key in ("Id", "Unknown", "HostConfig")}


async def test_inspect_without_ports_keeps_the_very_bytes(ask):
    body = b'{"Id":"x", "Big":12345678901234567890, "Float":1.0e3}'
    answer = Answer(200, (), body + b"\n")
    exchange = await ask("GET", "/containers/{name}/json", answer=answer)
    assert exchange.body.startswith(body[:-1] + b',"Node":{')
    assert exchange.json["Node"]["Name"] == "n1"


async def test_create_goes_through_the_cluster_and_keeps_warnings(ask, cluster):
    cluster.answer = Answer(201, ((b"Content-Type", b"application/json"), (b"Server", b"Docker")),
                            b'{"Id":"x","Warnings":["w"]}')  # fmt: skip
    exchange = await ask("POST", "/containers/create", query="?name=one", body={"Image": "busybox"})
    assert (exchange.status, exchange.json) == (201, {"Id": "x", "Warnings": ["w"]})
    assert [key for key, _ in exchange.headers] == [b"Content-Type"]
    config = cluster.created[0]
    assert (config.name, config.image) == ("one", "busybox")
    assert len(config.swarm_id) == 64


@pytest.mark.parametrize("body", [None, [], "text"], ids=str)
async def test_a_create_without_an_object_is_refused(ask, body):
    with pytest.raises(BadRequest, match="config cannot be empty"):
        await ask("POST", "/containers/create", body=body)


def test_swarm_ids_never_look_like_numbers():
    ids = {new_swarm_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert all(len(id) == 64 and not id[:12].isdecimal() for id in ids)
