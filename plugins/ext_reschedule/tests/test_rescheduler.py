"""When the rescheduler moves containers, on trio's mock clock and a scripted cluster."""

from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from swarmcore_ext_reschedule import rescheduler
from swarmcore_ext_reschedule.policy import Settings, is_lost
from swarmcore_ext_reschedule.rescheduler import Rescheduler

from swarmcore.errors import NoNodeFits
from swarmcore.http.messages import Answer, error_answer
from swarmcore.model import Drain, NodeSettings, State
from swarmcore.testing.builders import a_container, a_node
from swarmcore.testing.doubles import FakeCluster

MOVED = {"com.docker.swarm.reschedule-policies": '["on-node-failure"]'}


@pytest.fixture
def node():
    node = a_node("n1")
    node.put_container(a_container("web", labels=MOVED))
    node.put_container(a_container("db"))
    return node


@pytest.fixture
def cluster(node):
    return FakeCluster(node, a_node("n2"))


@asynccontextmanager
async def running(cluster, **settings):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Rescheduler(cluster, Settings(**settings), Random(1)).run)
        yield
        nursery.cancel_scope.cancel()


def asked(cluster):
    return [container.name for container in cluster.moves.asked]


async def test_containers_with_the_policy_move_after_the_grace(autojump_clock, cluster, node):
    async with running(cluster, after_seconds=60):
        await trio.sleep(5)
        node.state = State.UNHEALTHY
        await trio.sleep(58)
        assert asked(cluster) == []
        await trio.sleep(5)
        assert asked(cluster) == ["web"]


async def test_a_node_that_returns_in_time_keeps_its_containers(autojump_clock, cluster, node):
    async with running(cluster, after_seconds=60):
        node.state = State.UNHEALTHY
        await trio.sleep(50)
        node.state = State.HEALTHY
        await trio.sleep(5)
        node.state = State.UNHEALTHY
        await trio.sleep(50)
        assert asked(cluster) == []


async def test_a_failed_move_is_tried_again_with_growing_pauses(autojump_clock, cluster, node):
    cluster.moves.errors["web"] = NoNodeFits("no node fits")
    async with running(cluster, after_seconds=0):
        node.state = State.UNHEALTHY
        await trio.sleep(100)
        assert 4 <= len(asked(cluster)) <= 7
        del cluster.moves.errors["web"]
        await trio.sleep(100)
        tried = len(asked(cluster))
        node.drop_container(node.containers[cluster.moves.asked[0].id].id)
        await trio.sleep(100)
        assert len(asked(cluster)) == tried


async def test_tries_end_when_the_node_returns(autojump_clock, cluster, node):
    cluster.moves.errors["web"] = NoNodeFits("no node fits")
    async with running(cluster, after_seconds=0):
        node.state = State.UNHEALTHY
        await trio.sleep(30)
        node.state = State.HEALTHY
        tried = len(asked(cluster))
        await trio.sleep(1000)
        assert len(asked(cluster)) == tried


async def test_only_the_primary_moves(autojump_clock, cluster, node):
    cluster.is_primary = False
    async with running(cluster, after_seconds=10):
        node.state = State.UNHEALTHY
        await trio.sleep(100)
        assert asked(cluster) == []
        cluster.is_primary = True
        await trio.sleep(2)
        assert asked(cluster) == ["web"]


async def test_interrupted_moves_are_finished_when_a_manager_begins_to_lead(
    autojump_clock, cluster
):
    cluster.is_primary = False
    async with running(cluster):
        await trio.sleep(10)
        assert cluster.moves.finished == 0
        cluster.is_primary = True
        await trio.sleep(10)
        assert cluster.moves.finished == 1


async def test_interrupted_moves_are_finished_when_a_node_returns(autojump_clock, cluster, node):
    async with running(cluster):
        node.state = State.UNHEALTHY
        await trio.sleep(3)
        before = cluster.moves.finished
        node.state = State.HEALTHY
        await trio.sleep(3)
        assert cluster.moves.finished == before + 1


async def test_interrupted_moves_are_finished_when_a_copy_is_not_started_in_time(
    autojump_clock, cluster, node
):
    async with running(cluster):
        await trio.sleep(3)
        before = cluster.moves.finished
        cluster.moves.unstarted.add("a" * 64)
        node.drained = Drain("disk", 1.0)  # a reason to look
        await trio.sleep(115)  # another manager of these engines may be moving it
        assert cluster.moves.finished == before
        await trio.sleep(10)
        assert cluster.moves.finished == before + 1


async def test_a_drained_node_is_emptied_at_once(autojump_clock, cluster, node):
    async with running(cluster, after_seconds=600):
        node.apply(NodeSettings(Drain("why", moves=True)))
        await trio.sleep(2)
        assert asked(cluster) == ["web"]


async def test_a_missing_image_is_pulled_and_the_move_tried_again(autojump_clock, cluster, node):
    for engine in cluster.engines():
        engine.answers["/images/create"] = Answer(200, body=b'{"status":"Pulling"}\n')
    cluster.moves.answer = error_answer(404, "No such image: busybox")
    async with running(cluster, after_seconds=0):
        node.state = State.UNHEALTHY
        await trio.sleep(2)
        assert asked(cluster) == ["web", "web"]
        assert cluster.pulled == "busybox"


async def test_nodes_are_looked_at_only_after_a_change(autojump_clock, cluster, node, monkeypatch):
    looks = []
    monkeypatch.setattr(rescheduler, "is_lost", lambda node: looks.append(node) or is_lost(node))
    async with running(cluster):
        await trio.sleep(100)
        assert len(looks) == 2  # one for each node
        node.updated_at += 3
        await trio.sleep(100)
        assert len(looks) == 2
        node.drained = Drain("disk", 1.0)
        await trio.sleep(100)
        assert len(looks) == 4
