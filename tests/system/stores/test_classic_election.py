"""Managers of Swarm classic and swarmcore in one election; only one leads at a time."""

from base64 import b64encode
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from kazoo.client import KazooClient
from swarmcore_discovery_consul import swarmcore_election as consul_election
from swarmcore_discovery_zk import swarmcore_election as zk_election
from swarmcore_discovery_zk.election import ZooKeeperSeat
from swarmcore_lab.stores import ConsulStore, ZooKeeperStore, running
from swarmcore_lab.stores.asking import ask

from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Leader
from swarmcore.stores import parse_location
from swarmcore.testing.contracts.recording import RecordingElectionSink
from tests.system.stores.conversation import replay

pytestmark = pytest.mark.docker

CLASSIC, OURS = "10.3.3.3:2376", "10.4.4.4:2376"
#: Long enough that nothing lapses because this machine was busy.
OPTIONS = DiscoveryOptions(ttl_seconds=30)


@asynccontextmanager
async def standing(election):
    """Run a candidate of swarmcore; yield its sink."""
    sink = RecordingElectionSink()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(election.campaign, OURS, sink)
        with trio.fail_after(60):
            yield sink
        nursery.cancel_scope.cancel()


# ---- Consul


@pytest.fixture(scope="module")
def consul(tmp_path_factory):
    with running(ConsulStore(tmp_path_factory.mktemp("consul"))) as store:
        yield store


def in_consul(store, prefix):
    uri = DiscoveryURI("consul", f"127.0.0.1:{store.port}/{prefix}")
    return consul_election(uri=uri, options=OPTIONS)


def end_session(store, session):
    url = f"http://127.0.0.1:{store.port}/v1/session/destroy/{session}"
    assert ask(url, method="PUT") == b"true"


async def test_while_classic_leads_in_consul_ours_waits_and_knows_it(consul):
    names = replay("consul_lead", consul.port, prefix="first")
    async with standing(in_consul(consul, "first")) as sink:
        await sink.wait_until(lambda: sink.leader_seen is not None)
        assert sink.leader_seen.address == CLASSIC
        assert not sink.leads
        end_session(consul, names["session"])
        await sink.wait_until(lambda: sink.leads)


async def test_while_ours_leads_in_consul_classic_waits_and_knows_it(consul):
    async with standing(in_consul(consul, "second")) as sink:
        await sink.wait_until(lambda: sink.leads)
        coded = b64encode(OURS.encode()).decode()
        follow = partial(replay, "consul_follow", consul.port, prefix="second", coded=coded)
        await trio.to_thread.run_sync(follow)
        assert sink.leads


# ---- ZooKeeper


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory):
    with running(ZooKeeperStore(tmp_path_factory.mktemp("zookeeper"))) as store:
        yield store


@pytest.fixture
def classic(zookeeper):
    """A client that makes the same nodes as classic's library."""
    client = KazooClient(f"127.0.0.1:{zookeeper.port}")
    client.start(30)
    yield client
    client.stop()
    client.close()


def in_zookeeper(store, prefix):
    uri = DiscoveryURI("zk", f"127.0.0.1:{store.port}/{prefix}")
    return zk_election(uri=uri, options=OPTIONS)


def take_place(classic, path):
    """Take a place in the queue like classic: a node without value; the end of its name counts."""
    name = f"{path}/_c_6d14a3d3f8a2c8b1b0b6f7a5d9e0c112-lock-"
    return classic.create(name, b"", ephemeral=True, sequence=True, makepath=True)


async def test_while_classic_leads_in_zookeeper_ours_waits_and_knows_it(zookeeper, classic):
    path = "/first/docker/swarm/leader"
    node = take_place(classic, path)
    classic.set(path, CLASSIC.encode())
    expected = Leader(CLASSIC, classic.exists(node).czxid)
    async with standing(in_zookeeper(zookeeper, "first")) as sink:
        await sink.wait_until(lambda: sink.leader_seen == expected)
        assert not sink.leads
        await trio.to_thread.run_sync(classic.delete, node)
        await sink.wait_until(lambda: sink.leads)


async def test_while_ours_leads_in_zookeeper_classic_waits_and_knows_it(zookeeper, classic):
    path = "/second/docker/swarm/leader"
    async with standing(in_zookeeper(zookeeper, "second")) as sink:
        await sink.wait_until(lambda: sink.leads)
        node = take_place(classic, path)
        queue = sorted(classic.get_children(path), key=lambda name: int(name.split("-")[-1]))
        assert len(queue) == 2
        assert queue[1] == node.rpartition("/")[2]
        assert classic.get(path)[0] == OURS.encode()
        assert sink.leads


@pytest.mark.parametrize(("asked", "granted"), [(2.0, 4.0), (6.0, 6.0), (1000.0, 10.0)])
async def test_the_session_time_that_zookeeper_grants_counts(zookeeper, asked, granted):
    uri = DiscoveryURI("zk", f"127.0.0.1:{zookeeper.port}/third")
    session = await ZooKeeperSeat(parse_location(uri, OPTIONS, 2181), asked).open(OURS)
    try:
        assert session.ttl_seconds == pytest.approx(granted)
    finally:
        await session.release()
