"""``GET /events``: past events of all engines, then new events."""

import json

import pytest
from swarmcore_api_docker.system.events import follow_events

from swarmcore.errors import BadRequest
from swarmcore.http.messages import Answer


def actions(exchange):
    return [line["Action"] for line in exchange.lines]


async def test_live_events_pass_the_filters(ask, cluster, docker):
    cluster.events = [docker.event("start"), docker.event("pull", "image"), docker.event("die")]
    exchange = await ask(follow_events, target='/v1.41/events?filters={"type":["container"]}')
    assert actions(exchange) == ["start", "die"]
    assert dict(exchange.headers) == {b"Content-Type": b"application/json"}
    assert exchange.lines[0]["node"]["Name"] == "n1"


async def test_a_slow_client_gets_the_same(docker, cluster):
    cluster.events = [docker.event("start"), docker.event("pull", "image"), docker.event("die")]
    exchange = docker.Exchange(cluster, "GET", '/v1.41/events?filters={"type":["container"]}')
    exchange.slow = True
    await follow_events(exchange)
    assert actions(exchange) == ["start", "die"]


@pytest.mark.parametrize("classic", [True, False])
async def test_an_event_is_written_once_for_all_clients(docker, cluster, monkeypatch, classic):
    written = []

    def write(*arguments, **options):
        written.append(1)
        return json_dumps(*arguments, **options)

    json_dumps = json.dumps
    cluster.events = [docker.event("start"), docker.event("die")]
    monkeypatch.setattr(json, "dumps", write)
    for slow in (True, False) * 10:
        exchange = docker.Exchange(cluster, "GET", "/v1.41/events")
        exchange.slow = slow
        await follow_events(exchange, classic=classic)
        assert actions(exchange) == ["start", "die"]
    assert len(written) == 2


async def test_the_media_type_is_one_whatever_a_client_accepts(ask):
    accept = ((b"Accept", b"application/json-seq"),)
    exchange = await ask(follow_events, target="/v1.51/events", headers=accept)
    assert dict(exchange.headers) == {b"Content-Type": b"application/json"}


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


async def test_the_past_ends_at_the_present_of_each_engines_own_clock(
    ask, cluster, engines, autojump_clock
):
    cluster.events, cluster.events_end = [], True
    engines[0].node.skew_seconds = -18_000.0
    for engine in engines:
        engine.answers["/events"] = Answer(200)
    await ask(follow_events, target="/v1.41/events?since=1")
    ends = [float(engine.asked[0][1].rpartition("until=")[2]) for engine in engines[:2]]
    assert ends[0] - ends[1] == pytest.approx(18_000)


async def test_an_end_in_the_future_is_kept(ask, cluster, engines, docker, autojump_clock):
    cluster.events, cluster.events_end = [docker.event("live")], False
    for engine in engines:
        engine.answers["/events"] = Answer(200)
    exchange = await ask(follow_events, target="/v1.41/events?until=4102444800")
    assert actions(exchange) == ["live"]


async def test_an_end_before_the_beginning_is_refused(ask):
    with pytest.raises(BadRequest, match="cannot be after"):
        await ask(follow_events, target="/v1.41/events?since=20&until=10")
