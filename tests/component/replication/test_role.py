"""Which primary a manager names while its store does not answer."""

import trio

from swarmcore.protocols import Leader
from swarmcore.replication.role import Role


async def test_a_primary_is_not_named_when_it_cannot_lead_any_more(autojump_clock):
    role = Role("10.0.0.1:3376", doubt_seconds=15)
    role.leader(Leader("10.0.0.2:3376", 1))
    await trio.sleep(100)
    assert role.primary == "10.0.0.2:3376"
    role.failed("the store does not answer")
    await trio.sleep(10)
    role.failed("the store does not answer: connection refused")
    assert role.primary == "10.0.0.2:3376"
    await trio.sleep(6)
    assert role.primary == ""
    # Requests are still forwarded to it: perhaps only this manager does not reach the store.
    assert role.other == Leader("10.0.0.2:3376", 1)
    role.leader(Leader("10.0.0.2:3376", 1))
    assert role.primary == "10.0.0.2:3376"


async def test_nobody_is_named_when_the_store_says_that_nobody_leads():
    role = Role("10.0.0.1:3376", doubt_seconds=15)
    role.leader(Leader("10.0.0.2:3376", 1))
    role.leader(None)
    assert role.primary == ""
