"""Clients change a container while it is moved from a drained node."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from swarmcore.cluster.moves.move import CannotMove
from swarmcore.model import Drain


async def drained(manager):
    """Run ``web`` on n1, which has to be emptied; return the container."""
    await manager.run("web")
    container = manager.cluster.find_container("web")
    node = manager.cluster.engine_of(container).node
    assert node.name == "n1"
    await manager.cluster.drain_node(node, Drain("new disk", moves=True))
    return container


@pytest.mark.parametrize(
    ("method", "path", "left"),
    [
        ("DELETE", "/containers/web?force=1", []),
        ("POST", "/containers/web/rename?name=crate", [("/crate", "running")]),
        ("POST", "/containers/web/stop?t=0", [("/web", "exited")]),
        ("POST", "/containers/web/update", [("/web", "running")]),
    ],
)
async def test_a_change_waits_for_the_end_of_a_move_and_reaches_the_copy(
    manager, n1, n2, method, path, left
):
    container = await drained(manager)
    starting = n2.hang("POST /containers/*/start")
    answers = []

    async def change():
        body = {"CpuShares": 100} if path.endswith("update") else None
        answers.append(await manager(method, path, body))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(manager.cluster.moves.move, container)
        await n2.wait_request("POST /containers/*/start")
        nursery.start_soon(change)
        await wait_all_tasks_blocked(0.05)
        assert answers == []
        starting.release()
    assert answers[0].ok, answers[0].message
    listed = await manager.json("GET", "/containers/json?all=1")
    assert [(each["Names"][0], each["State"]) for each in listed] == left
    assert list(n1.containers) == []
    assert len(n2.containers) == len(left)


async def test_a_container_is_not_moved_while_a_client_changes_it(manager, n1, n2):
    container = await drained(manager)
    stopping = n1.hang("POST /containers/*/stop")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(manager, "POST", "/containers/web/stop")
        await n1.wait_request("POST /containers/*/stop")
        with pytest.raises(CannotMove, match="a client is changing container web"):
            await manager.cluster.moves.move(container)
        stopping.release()
    assert list(n2.containers) == []
    await manager.cluster.moves.move(manager.cluster.find_container("web"))
    assert n2.container("web").state == "created"
