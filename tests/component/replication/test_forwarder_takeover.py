"""The primary changes while it handles a forwarded request."""

import json

import pytest
import trio
import trio.testing

from swarmcore.errors import EngineUnreachable
from swarmcore.replication import forwarder
from tests.component.replication.members import HEAD, until_ready, wait_for


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


@pytest.mark.parametrize("body", [b"", b'{"Image": "busybox"}'])
async def test_a_request_that_a_former_primary_refuses_goes_to_the_successor(cluster, body):
    """The client asked the former primary itself, which loses its mandate while it decides."""
    async with cluster() as (old, new), trio.open_nursery() as nursery:
        old.lead(new, term=1)
        await until_ready(old)

        async def take_over():
            await trio.testing.wait_all_tasks_blocked(0.01)
            new.lead(old, term=2)

        async def lose(exchange):
            old.role.lost()
            nursery.start_soon(take_over)
            old.role.check()

        old.answer = lose
        status, _, content = await old.ask("POST /x", body=body)
        assert (status, json.loads(content)) == (200, {"by": new.address, "term": "2"})
        assert old.seen == new.seen == [body]


async def test_a_former_primary_without_a_successor_waits_as_long_as_a_takeover(cluster):
    async with cluster(1, wait_seconds=0.1) as [old]:
        old.lead(term=1)
        await until_ready(old)

        async def lose(exchange):
            old.role.lost()
            old.role.check()

        old.answer = lose
        status, _, content = await old.ask("POST /x", body=b"{}")
        assert status == 503
        assert "no primary cluster manager is elected" in json.loads(content)["message"]
        assert len(old.seen) == 1


async def test_a_request_that_a_replica_forwarded_is_refused_by_a_former_primary(cluster):
    """The replica looks for the successor, so the former primary must not wait."""
    async with cluster(1) as [old]:
        old.lead(term=1)
        await until_ready(old)

        async def lose(exchange):
            old.role.lost()
            old.role.check()

        old.answer = lose
        status, headers, _ = await old.ask("POST /x", headers="X-Swarmcore-Term: 1\r\n")
        assert (status, headers["X-Swarmcore-Not-Primary"]) == (503, "1")


@pytest.mark.parametrize("body", [b"", b'{"Image": "busybox"}'])
async def test_a_request_that_could_not_be_handed_over_goes_to_the_successor(
    cluster, monkeypatch, body
):
    """The primary is gone between the connection and the request, of which nothing was sent."""
    async with cluster(3) as (old, new, replica):
        old.lead(new, replica, term=1)
        real, failed = forwarder.forward, []

        async def refused(exchange, client, *arguments, **options):
            if client.name == old.address:
                failed.append(client.name)
                new.lead(replica, term=2)
                raise EngineUnreachable(client.name, "connection refused", sent=False)
            return await real(exchange, client, *arguments, **options)

        monkeypatch.setattr(forwarder, "forward", refused)
        status, _, content = await replica.ask("POST /x", body=body)
        assert (status, json.loads(content)["by"]) == (200, new.address)
        assert (failed, old.seen, new.seen) == ([old.address], [], [body])


async def test_a_request_of_which_something_was_sent_is_not_sent_again(cluster, monkeypatch):
    async def broken(exchange, client, *arguments, **options):
        raise EngineUnreachable(client.name, "connection reset", sent=True)

    async with cluster() as (primary, replica):
        primary.lead(replica, term=1)
        monkeypatch.setattr(forwarder, "forward", broken)
        status, _, content = await replica.ask("POST /x", body=b"{}")
        assert status == 503
        message = json.loads(content)["message"]
        assert "connection reset" in message
        assert "whether it did what was asked is unknown" in message


async def test_a_read_whose_primary_is_lost_is_answered_by_the_successor(cluster, monkeypatch):
    async with cluster(3) as (old, new, replica):
        old.lead(new, replica, term=1)
        real = forwarder.forward

        async def broken(exchange, client, *arguments, **options):
            if client.name == old.address:
                new.lead(replica, term=2)
                raise EngineUnreachable(client.name, "connection reset", sent=True)
            return await real(exchange, client, *arguments, **options)

        monkeypatch.setattr(forwarder, "forward", broken)
        status, _, content = await replica.ask("GET /x")
        assert (status, json.loads(content)["by"]) == (200, new.address)


async def test_a_read_whose_primary_hangs_is_answered_by_the_successor(cluster, monkeypatch):
    monkeypatch.setattr(forwarder, "_LAST_WORDS_SECONDS", 0.01)
    async with cluster(3) as (old, new, replica), trio.open_nursery() as nursery:
        old.lead(new, replica, term=1)
        old.go = trio.Event()

        async def ask():
            status, _, content = await replica.ask("GET /x")
            assert (status, json.loads(content)["by"]) == (200, new.address)

        nursery.start_soon(ask)
        await old.asked.wait()
        new.lead(replica, term=2)


async def test_a_read_that_is_lost_twice_is_not_sent_a_third_time(cluster, monkeypatch):
    sent = []

    async def broken(exchange, client, *arguments, **options):
        sent.append(client.name)
        raise EngineUnreachable(client.name, "connection reset", sent=True)

    async with cluster() as (primary, replica):
        primary.lead(replica, term=1)
        monkeypatch.setattr(forwarder, "forward", broken)
        status, _, content = await replica.ask("GET /x")
        assert (status, sent) == (503, [primary.address] * 2)
        assert "connection reset" in json.loads(content)["message"]


async def test_a_client_that_leaves_while_the_former_primary_waits_is_not_waited_for(cluster):
    async with cluster(1) as [old]:
        old.lead(term=1)
        await until_ready(old)
        waits = trio.Event()

        async def lose(exchange):
            old.role.lost()
            waits.set()
            old.role.check()

        old.answer = lose
        host, _, port = old.address.partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all((HEAD.format("GET /x") + "\r\n").encode())
            await waits.wait()
            await trio.testing.wait_all_tasks_blocked(0.02)
        await wait_for(lambda: old.server.connection_count == 0)
        assert len(old.seen) == 1
