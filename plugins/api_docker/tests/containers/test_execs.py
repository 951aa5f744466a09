"""The engine of an exec is remembered at its creation; otherwise every engine is asked."""

import pytest
import trio
from swarmcore_api_docker.containers.execs import Execs

from swarmcore.errors import EngineUnreachable, NotFound, Unavailable
from swarmcore.http.messages import Answer, error_answer, json_answer
from swarmcore.model import State


@pytest.fixture
def engines(docker):
    return [
        docker.Engine(docker.node("n1", "10.0.0.1", docker.container("web"))),
        docker.Engine(docker.node("n2", "10.0.0.2")),
        docker.Engine(docker.node("n3", "10.0.0.3")),
    ]


@pytest.fixture
def cluster(docker, engines):
    return docker.Cluster(*engines)


@pytest.fixture
def execs():
    return Execs()


@pytest.fixture
def create(docker, cluster, execs):
    """Create an exec in ``web``, which its engine answers with *answer*; return the exchange."""

    async def create(answer):
        exchange = docker.Exchange(
            cluster, "POST", "/v1.41/containers/web/exec", params={"name": "web"}
        )
        exchange.engine_answer = answer
        await execs.create(exchange)
        return exchange

    return create


async def test_a_new_exec_is_remembered(create, docker, cluster, engines, execs):
    assert (await create(json_answer({"Id": "e1"}, 201))).json == {"Id": "e1"}
    exchange = docker.Exchange(cluster, "POST", "/v1.42/exec/e1/start?x=1", params={"id": "e1"})
    await execs.start(exchange)
    assert exchange.relayed == (engines[0], "/exec/e1/start?x=1")
    assert all(engine.asked == [] for engine in engines)


async def test_a_refused_exec_is_not_remembered(create, cluster, engines, execs):
    await create(Answer(409, body=b"{}"))
    for engine in engines:
        engine.answers["/exec/e1/json"] = error_answer(404, "no")
    with pytest.raises(NotFound, match="No such exec instance: e1"):
        await execs.find(cluster, "e1")


async def test_an_exec_of_an_unhealthy_engine_is_unavailable(create, cluster, engines, execs):
    await create(json_answer({"Id": "e1"}, 201))
    engines[0].node.state = State.UNHEALTHY
    with pytest.raises(Unavailable, match="Exec e1 running on unhealthy node n1"):
        await execs.find(cluster, "e1")


async def test_an_exec_is_asked_for_everywhere_though_one_engine_hangs_and_one_fails(
    cluster, engines, execs, autojump_clock
):
    engines[0].answers["/exec/e1/json"] = trio.Event()
    engines[1].answers["/exec/e1/json"] = EngineUnreachable("n2", "gone")
    engines[2].answers["/exec/e1/json"] = json_answer({"ID": "e1"})
    with trio.fail_after(1):
        assert await execs.find(cluster, "e1") is engines[2]
    engines[2].answers.clear()
    assert await execs.find(cluster, "e1") is engines[2]  # remembered from now on


async def test_an_exec_of_an_engine_that_has_left_is_asked_for_again(
    create, docker, cluster, engines, execs
):
    await create(json_answer({"Id": "e1"}, 201))
    for engine in engines[1:]:
        engine.answers["/exec/e1/json"] = error_answer(404, "no")
    with pytest.raises(NotFound, match="No such exec instance: e1"):
        await execs.find(docker.Cluster(*engines[1:]), "e1")
