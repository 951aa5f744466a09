"""The wall clock of the manager is set by hours."""

import time

import pytest
import trio

from swarmcore import clock
from swarmcore.model import State

HOURS = 5 * 3600


@pytest.mark.parametrize("seconds", [-HOURS, HOURS], ids=["back", "forward"])
async def test_a_step_of_the_managers_clock_ends_no_wait_and_loses_no_engine(
    manage, n1, n2, seconds
):
    async with manage(n1, n2, queue_seconds=600.0) as manager:
        for number in range(2):
            await manager.create(f"large-{number}", HostConfig={"Memory": n1.memory})
        placed = []

        async def wait_for_room():
            placed.append(await manager.create("waits", HostConfig={"Memory": n1.memory}))

        async with trio.open_nursery() as nursery, manager.lines("GET", "/events") as following:
            nursery.start_soon(wait_for_room)
            await manager.wait_until(lambda: len(manager.cluster.waiting()) == 1)
            with clock.replaced(lambda: time.time_ns() + seconds * 10**9, time.perf_counter):
                await manager.run("small", HostConfig={"Memory": 1 << 20})
                while (await following())["Action"] != "start":
                    pass
                await trio.sleep(1)  # several beats of every timer
                assert placed == []
                assert {node.state for node in manager.cluster.nodes()} == {State.HEALTHY}
                await manager.json("DELETE", "/containers/large-0?force=1")
                await manager.wait_until(lambda: len(placed) == 1)
                assert sorted(await manager.names("?all=1")) == ["/large-1", "/small", "/waits"]
