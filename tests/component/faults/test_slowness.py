"""An engine that hangs, is slow, or sends one byte at a time: nobody else waits for it."""

import trio

from swarmcore.cluster.placement import engine_create
from swarmcore.model import State

ON_N1, ON_N2 = {"Env": ["constraint:node==n1"]}, {"Env": ["constraint:node==n2"]}
INSPECT = "GET /containers/*/json"
#: Requests to a container of the engine that hangs.
REQUESTS = [
    ("GET", "/containers/far/json", None),
    ("GET", "/containers/far/logs?stdout=1&follow=1", None),
    ("POST", "/containers/far/stop?t=0", None),
    ("POST", "/containers/far/exec", {"Cmd": ["true"]}),
    ("POST", "/containers/create?name=new", {"Image": "busybox", **ON_N1}),
]


async def test_requests_to_an_engine_that_hangs_end_with_its_name(manager, n1, monkeypatch):
    monkeypatch.setattr(engine_create, "_OUTCOME_SECONDS", 0.5)
    await manager.run("far", **ON_N1)
    await manager.run("near", **ON_N2)
    answers = []

    async def ask(method, path, body):
        answers.append((path, await manager(method, path, body)))

    n1.pause()
    with trio.fail_after(120):
        async with trio.open_nursery() as nursery:
            for request in REQUESTS:
                nursery.start_soon(ask, *request)
            for number in range(5):
                await manager.run(f"meanwhile-{number}", **ON_N2)
                assert "/near" in await manager.names()
    assert len(answers) == len(REQUESTS)
    for path, answer in answers:
        assert answer.status >= 500, path
        assert "n1" in answer.message, (path, answer.message)
    assert manager.node("n1").state is State.UNHEALTHY
    n1.resume()
    await manager.wait_healthy("n1")
    assert (await manager.json("GET", "/containers/far/json"))["Name"] == "/far"


async def test_others_do_not_wait_for_an_engine_that_is_slow(manage, n1, n2):
    async with manage(n1, n2, pace={}) as manager:
        await manager.run("far", **ON_N1)
        ended = []

        async def ask_slow():
            await manager.json("GET", "/containers/far/json")
            ended.append("slow")

        n1.delay("*", 2.5)  # a ping may take three seconds
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask_slow)
            await n1.wait_request(INSPECT, len(n1.requests_like(INSPECT)) + 1)
            for number in range(5):
                await manager.run(f"near-{number}", **ON_N2)
                assert len(await manager.names()) == number + 2
            ended.append("others")
        assert ended == ["others", "slow"]
        assert manager.node("n1").state is State.HEALTHY
        n1.behave()


async def test_an_answer_that_comes_byte_by_byte_is_whole(manager, line):
    await manager.run("far", **ON_N1)
    whole = await manager.json("GET", "/containers/far/top")
    line.dribble(rb"GET \S+/top", 0.001)
    assert await manager.json("GET", "/containers/far/top") == whole


async def test_an_engine_that_dribbles_its_answers_is_unhealthy_and_others_go_on(manager, line):
    await manager.run("far", **ON_N1)
    line.dribble(b"", 0.5)
    await manager.wait_state("n1", State.UNHEALTHY)
    await manager.run("near")
    assert await manager.names() == ["/near"]
    answer = await manager("POST", "/containers/create", {"Image": "busybox", **ON_N1})
    assert answer.status in (500, 503)
    line.behave()
    line.break_all()
    await manager.wait_healthy("n1")
