"""The primary changes while it handles a forwarded request."""

import json

import trio
import trio.testing

from swarmcore.replication import forwarder
from tests.component.replication.members import until_ready


async def test_a_request_that_was_not_executed_goes_to_the_successor(cluster):
    """The old primary refuses the request, because it lost its mandate."""
    async with cluster(3) as (old, new, replica), trio.open_nursery() as nursery:
        old.lead(new, replica, term=1)
        await until_ready(old)

        async def take_over():
            new.lead(old, replica, term=2)

        async def lose(exchange):
            old.role.lost()
            nursery.start_soon(take_over)
            old.role.check()

        old.answer = lose
        status, _, content = await replica.ask("POST /x", body=b'{"Image": "busybox"}')
        assert (status, json.loads(content)) == (200, {"by": new.address, "term": "2"})
        assert old.seen == new.seen == [b'{"Image": "busybox"}']


async def test_a_primary_that_hangs_and_has_a_successor_is_given_up(cluster, monkeypatch):
    """The request is not sent to the successor, because the old primary may have executed it."""
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0.01)
    async with cluster(3) as (old, new, replica), trio.open_nursery() as nursery:
        old.lead(new, replica, term=1)
        old.go = trio.Event()

        async def ask():
            status, _, content = await replica.ask("POST /x", body=b"{}")
            assert status == 503
            assert "whether it did what was asked is unknown" in json.loads(content)["message"]

        nursery.start_soon(ask)
        await old.asked.wait()
        new.lead(replica, term=2)
    assert new.seen == []


async def test_a_primary_that_is_elected_again_is_still_waited_for(cluster, monkeypatch):
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0)
    async with cluster() as (primary, replica), trio.open_nursery() as nursery:
        primary.lead(replica, term=1)
        primary.go = trio.Event()

        async def ask():
            assert (await replica.ask("POST /x", body=b"{}"))[0] == 200

        nursery.start_soon(ask)
        await primary.asked.wait()
        primary.role.lost()
        primary.lead(replica, term=2)
        await trio.testing.wait_all_tasks_blocked(0.05)
        primary.go.set()


async def test_an_answer_that_has_begun_goes_on_when_another_leads(cluster, monkeypatch):
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0)
    async with cluster(3) as (old, new, replica):
        old.lead(new, replica, term=1)
        begun, go_on = trio.Event(), trio.Event()

        async def stream(exchange):
            async with exchange.stream() as send:
                await send(b"one ")
                begun.set()
                await go_on.wait()
                await send(b"two")

        old.answer = stream
        answers = []
        async with trio.open_nursery() as nursery:

            async def ask():
                answers.append(await replica.ask("GET /x"))

            nursery.start_soon(ask)
            await begun.wait()
            new.lead(replica, term=2)
            await trio.testing.wait_all_tasks_blocked(0.05)
            go_on.set()
        assert answers[0][0] == 200
        assert b"two" in answers[0][2]
