"""Terms: which forwarded requests a manager answers, and which it rejects."""

import math

import pytest
import trio
import trio.testing

from swarmcore.errors import NotPrimary
from swarmcore.protocols import Leader
from tests.component.replication.members import until_ready


@pytest.mark.parametrize(
    ("own", "asked", "status"),
    [(5, 5, 200), (6, 5, 200), (4, 5, 503)],
    ids=["the same", "an older one", "a newer one"],
)
async def test_a_primary_answers_for_its_term_and_for_those_before(cluster, own, asked, status):
    async with cluster(1, wait_seconds=0.1) as [primary]:
        primary.lead(term=own)
        answered, headers, _ = await primary.ask("GET /x", headers=f"X-Swarmcore-Term: {asked}\r\n")
        assert answered == status
        assert ("X-Swarmcore-Not-Primary" in headers) == (status == 503)


async def test_a_request_that_was_forwarded_is_not_forwarded_again(cluster):
    async with cluster() as (primary, replica):
        primary.lead(replica, term=3)
        status, headers, _ = await replica.ask("GET /x", headers="X-Swarmcore-Term: 3\r\n")
        assert status == 503
        assert "X-Swarmcore-Not-Primary" in headers
        assert primary.seen == []


async def test_a_forwarded_request_waits_until_the_primary_knows_its_election(cluster):
    answers = []
    async with cluster() as (primary, replica), trio.open_nursery() as nursery:
        for member in (primary, replica):
            member.role.leader(Leader(primary.address, 4))

        async def ask():
            answers.append(await replica.ask("GET /x"))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.01)
        primary.lead(term=4)
    assert answers[0][0] == 200


@pytest.mark.parametrize("term", ["", "x", "-1", "9" * 30])
async def test_a_malformed_term_is_refused(cluster, term):
    async with cluster(1) as [member]:
        status, _, _ = await member.ask("GET /x", headers=f"X-Swarmcore-Term: {term}\r\n")
        assert status == 400


async def test_an_expired_mandate_does_not_count(cluster):
    async with cluster(1, wait_seconds=0.1) as [member]:
        member.lead(until=math.inf)
        await until_ready(member)
        member.role._mandate.until = trio.current_time()
        with pytest.raises(NotPrimary):
            member.role.check()
        assert (await member.ask("GET /x"))[0] == 503
