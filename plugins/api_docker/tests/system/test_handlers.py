"""``_ping``, ``version`` and ``info``."""

import pytest
from swarmcore_api_docker.system import handlers

from swarmcore.model import State
from swarmcore.versions import ApiVersion


def handler(path, method="GET"):
    [found] = [
        route.handler
        for route in handlers.routes()
        if (route.method, route.template) == (method, path)
    ]
    return found


@pytest.mark.parametrize(("method", "body"), [("GET", b"OK"), ("HEAD", b"")])
async def test_ping(ask, method, body):
    exchange = await ask(handler("/_ping", method), method)
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
    await handler("/_ping")(exchange)
    assert dict(exchange.headers)[b"Builder-Version"] == builder


async def test_ping_and_version_agree(ask, cluster):
    assert (await ask(handler("/version"))).json["ApiVersion"] == str(cluster.api_version)


async def test_info_is_whole(ask):
    document = (await ask(handler("/info"))).json
    assert document["Containers"] == 2
    assert ["Nodes", "2"] in document["SystemStatus"]


async def test_ping_and_version_are_updated_when_engines_change(docker):
    node = docker.node()
    cluster = docker.Cluster(docker.Engine(node), docker.Engine(docker.node("n2")))
    made = []

    def make(seen):
        made.append(seen.nodes()[0].version)
        return handlers.Answer(200)

    kept = handlers.OfEngines(make)
    assert kept.value(cluster) is kept.value(cluster)
    node.version = "28.5.2"
    kept.value(cluster)
    node.put_container(docker.container("web"))
    node.updated_at += 60
    kept.value(cluster)
    assert made == ["20.10.24", "28.5.2"]
