"""Several managers, none of which is elected."""

from contextlib import asynccontextmanager

import pytest
import trio

from tests.component.replication.members import Member


@pytest.fixture
def cluster():
    """Start several managers; none of them is elected."""

    @asynccontextmanager
    async def open_managers(count=2, *, wait_seconds=10.0):
        async with trio.open_nursery() as nursery:
            members = []
            for _ in range(count):
                [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
                member = Member(listener, wait_seconds)
                members.append(member)
                await nursery.start(member.server.run, [listener])
                nursery.start_soon(member.role.get_ready, trio.lowlevel.checkpoint)
            yield members
            for member in members:
                await member.forwarder.aclose()
            nursery.cancel_scope.cancel()

    return open_managers
