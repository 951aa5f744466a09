"""Without a primary, a request waits, and is then forwarded, answered or rejected."""

import json

import trio
import trio.testing

from swarmcore.protocols import Leader


async def test_without_a_primary_a_request_waits_and_is_then_refused(cluster):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert json.loads(content) == {
            "message": "no primary cluster manager is elected; waited 0.1 s, try again"
        }
        status, _, _ = await replica.ask("GET /info")
        assert status == 200


async def test_a_request_that_waits_is_forwarded_once_there_is_a_primary(cluster):
    answers = []
    async with cluster() as (primary, replica), trio.open_nursery() as nursery:

        async def ask():
            answers.append(await replica.ask("POST /x", body=b"{}"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        primary.lead(replica)
    [(status, _, content)] = answers
    assert (status, json.loads(content)["by"]) == (200, primary.address)


async def test_a_request_that_waits_is_answered_here_once_this_manager_is_elected(cluster):
    async with cluster(1) as [member], trio.open_nursery() as nursery:

        async def ask():
            _, _, content = await member.ask("POST /x", body=b"{}")
            assert json.loads(content) == {"by": member.address, "term": None}

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        member.lead()


async def test_a_primary_that_is_gone_is_waited_for_by_its_name(cluster, closed_port):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        replica.role.leader(Leader(f"127.0.0.1:{closed_port}", 1))
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert "Unable to reach primary cluster manager" in json.loads(content)["message"]
        assert f"127.0.0.1:{closed_port}" in json.loads(content)["message"]


async def test_a_request_for_a_primary_that_is_gone_goes_to_its_successor(cluster, closed_port):
    answers = []
    async with cluster() as (successor, replica), trio.open_nursery() as nursery:
        replica.role.leader(Leader(f"127.0.0.1:{closed_port}", 1))

        async def ask():
            answers.append(await replica.ask("POST /x", body=b"{}"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        successor.lead(replica, term=2)
    [(status, _, content)] = answers
    assert (status, json.loads(content)) == (200, {"by": successor.address, "term": "2"})


async def test_a_leader_with_an_invalid_address_is_ignored(cluster):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        replica.role.leader(Leader("no address at all", 1))
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert "no address at all" in json.loads(content)["message"]


async def test_an_entry_of_this_managers_earlier_run_is_no_primary(cluster):
    async with cluster(1, wait_seconds=0.1) as [replica]:
        replica.role.leader(Leader(replica.address, 1))
        status, _, content = await replica.ask("GET /x")
        assert status == 503
        assert "no primary" in json.loads(content)["message"]
