"""What any engine asks a registry for."""

import pytest
from swarmcore_api_docker.images import registry

from swarmcore.errors import EngineUnreachable
from swarmcore.http.messages import json_answer


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


async def test_a_login_is_tried_by_one_engine(ask, engines):
    engines[0].answers["/auth"] = json_answer({"Status": "Login Succeeded"})
    login = await ask(registry.check_login, "POST", "/auth", body={"username": "alice"})
    assert login.json == {"Status": "Login Succeeded"}
    assert engines[1].asked == []


async def test_a_login_goes_to_the_next_engine_when_one_cannot_be_reached(ask, engines):
    engines[0].answers["/auth"] = EngineUnreachable("n1", "gone")
    engines[1].answers["/auth"] = json_answer({"message": "unauthorized"}, 401)
    login = await ask(registry.check_login, "POST", "/auth", body={"username": "alice"})
    assert (login.status, login.json) == (401, {"message": "unauthorized"})
