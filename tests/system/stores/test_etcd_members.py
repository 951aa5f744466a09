"""Three members of one etcd: one dies, or two hang, and their users go on as far as they can."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import trio
from swarmcore_discovery_etcd import swarmcore_discovery, swarmcore_election
from swarmcore_lab.stores import EtcdStore, running

from swarmcore.protocols import DiscoveryOptions, DiscoveryURI
from swarmcore.testing.contracts.discoveries import RecordingSink
from swarmcore.testing.contracts.recording import RecordingElectionSink

pytestmark = pytest.mark.docker

#: Nothing ends because this machine was busy.
OPTIONS = DiscoveryOptions(heartbeat_seconds=20, ttl_seconds=60)


class EtcdMember(EtcdStore):
    """One of several members; ``members`` are all of them, known before it starts."""

    members = ()

    @property
    def name(self):
        return f"m{self.port}"

    @property
    def peer(self):
        return f"{self.name}=http://127.0.0.1:{self._ports[1]}"

    def command(self, data):
        return (
            *super().command(data),  # of an option that is given twice the last counts
            *("--name", self.name, "--initial-cluster", ",".join(m.peer for m in self.members)),
            *("--heartbeat-interval=100", "--election-timeout=1000"),
        )


@pytest.fixture
def members(tmp_path):
    members = [EtcdMember(tmp_path / str(number)) for number in range(3)]
    for member in members:
        member.members = members
    # None is ready before a second one is.
    with ExitStack() as stack, ThreadPoolExecutor(len(members)) as pool:
        yield list(pool.map(stack.enter_context, map(running, members)))


async def join(member, address):
    """Announce an engine; retry while etcd has no leader and refuses."""
    while True:
        try:
            path = f"lab/docker/swarm/nodes/{address}"
            await trio.to_thread.run_sync(member.put, path, address)
        except OSError:
            await trio.sleep(0.1)
        else:
            return


async def test_discovery_and_election_go_on_when_the_member_they_talk_to_dies(members):
    first, *others = members
    servers = ",".join(f"127.0.0.1:{member.port}" for member in members)
    uri = DiscoveryURI("etcd", f"{servers}/lab")
    await join(first, "10.0.0.1:1")
    seen, leads, follows = RecordingSink(), RecordingElectionSink(), RecordingElectionSink()

    with trio.fail_after(240):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swarmcore_discovery(uri, OPTIONS).watch, seen)
            resign = trio.CancelScope()

            async def lead():
                with resign:
                    await swarmcore_election(uri, OPTIONS).campaign("10.0.0.7:1", leads)

            nursery.start_soon(lead)
            await leads.wait_until(lambda: leads.leads)
            nursery.start_soon(swarmcore_election(uri, OPTIONS).campaign, "10.0.0.8:1", follows)
            await seen.wait_until(lambda: bool(seen.lists))

            await trio.to_thread.run_sync(first.kill)
            await join(others[0], "10.0.0.2:1")
            await seen.wait_until(lambda: len(seen.lists[-1]) == 2)
            assert all("10.0.0.1:1" in [str(e.address) for e in list_] for list_ in seen.lists)

            assert leads.leads
            resign.cancel()
            await follows.wait_until(lambda: follows.leads)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("kept", [0, 2], ids=["the first answers", "the last answers"])
async def test_engines_stay_and_somebody_leads_again_after_etcd_had_no_quorum(members, kept):
    hung = [member for number, member in enumerate(members) if number != kept]
    servers = ",".join(f"127.0.0.1:{member.port}" for member in members)
    uri = DiscoveryURI("etcd", f"{servers}/lab")
    options = DiscoveryOptions(heartbeat_seconds=1, ttl_seconds=6)
    await join(members[0], "10.0.0.1:1")
    seen, candidates = RecordingSink(), [RecordingElectionSink() for _ in range(2)]

    def leaders():
        return [each for each in candidates if each.leads]

    async def wait_for_leaders(count):
        while len(leaders()) != count:
            assert len(leaders()) < 2
            await trio.sleep(0.01)

    with trio.fail_after(240):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swarmcore_discovery(uri, options).watch, seen)
            for number, each in enumerate(candidates):
                election = swarmcore_election(uri, options)
                nursery.start_soon(election.campaign, f"10.0.0.{number + 7}:1", each)
            await seen.wait_until(lambda: bool(seen.lists))
            await wait_for_leaders(1)
            for member in hung:
                member.pause(True)
            try:
                await wait_for_leaders(0)
            finally:
                for member in hung:
                    member.pause(False)
            await wait_for_leaders(1)
            await join(members[0], "10.0.0.2:1")
            await seen.wait_until(lambda: len(seen.lists[-1]) == 2)
            nursery.cancel_scope.cancel()
    # No list was taken for empty meanwhile.
    assert all("10.0.0.1:1" in [str(e.address) for e in list_] for list_ in seen.lists)
