"""``POST /images/create``: a pull on several engines, with one stream of progress."""

import json

import pytest
import trio
import trio.testing
from swarmcore_api_docker.images import pull

from swarmcore.errors import BadRequest, Unavailable
from swarmcore.http.messages import error_answer
from swarmcore.model import State

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


async def test_a_refusal_by_all_engines_is_the_answer(ask, engines):
    for engine in engines:
        engine.answers["/images/create"] = error_answer(404, "manifest unknown")
    exchange = await pulled(ask)
    assert (exchange.status, exchange.json) == (404, {"message": "manifest unknown"})
    assert exchange.chunks == []


async def test_a_failed_pull_releases_reservations_before_the_answer(engines, docker, cluster):
    for engine in engines:
        engine.answers["/images/create"] = error_answer(404, "manifest unknown")
    exchange = docker.Exchange(cluster, "POST", TARGET)
    send, given_back = exchange.send, []

    async def note_and_send(answer):
        given_back.extend(cluster.failed_pulls)
        await send(answer)

    exchange.send = note_and_send
    await pull.create_image(exchange)
    assert set(given_back) == {"team/tool:1"}


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
