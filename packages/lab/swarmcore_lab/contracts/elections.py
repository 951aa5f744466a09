"""The contract of a leader election in a store, run on the real store."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count, pairwise
from pathlib import Path
from typing import ClassVar

import trio

from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, Election, Leader
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.quickness import assert_quick
from swarmcore.testing.contracts.recording import RecordingElectionSink
from swarmcore_lab.contracts.with_store import WithStore
from swarmcore_lab.freezing import FreezingProxy


class ElectionContract(WithStore, PluginContract):
    """Inherit, set ``name`` and ``store_class``.

    Attributes:
        ttl_seconds: ``--replication-ttl`` to test with: long enough that no leader is lost, and
            no order of events turned round, because this machine was busy for a second or two.
        takeover_seconds: after a leader went silent, within which another must lead.
        resign_seconds: the same after one resigned.
        patience_seconds: within which anything else must happen.
    """

    kind = "discovery"
    hook = "swarmcore_election"
    ttl_seconds: ClassVar[float] = 10.0
    takeover_seconds: ClassVar[float] = 15.0
    resign_seconds: ClassVar[float] = 2.0
    patience_seconds: ClassVar[float] = 30.0

    def election(self, prefix: str, port: int | None = None) -> Election:
        """A new one, as each manager has it.

        Args:
            prefix: of the keys.
            port: of loopback, by which it reaches the store; ``None``: the store's own.
        """
        uri = DiscoveryURI(self.store.scheme, f"127.0.0.1:{port or self.store.port}/{prefix}")
        options = DiscoveryOptions(ttl_seconds=self.ttl_seconds, options=self.options)
        election = self.load().election(uri, options)
        assert election is not None, f"{self.name} does not elect for {uri}"
        return election

    def run(self, test: Callable[[], Awaitable[None]]) -> None:
        """Run an async test with a limit; works without any pytest plugin for trio."""

        async def limited() -> None:
            with trio.fail_after(3 * self.patience_seconds):
                await test()

        trio.run(limited)

    def test_another_scheme_is_left_to_others(self) -> None:
        """The hook returns ``None`` for it."""
        uri = DiscoveryURI("no-such-scheme-anywhere", "10.0.0.1:1")
        assert self.load().election(uri, DiscoveryOptions(ttl_seconds=4.0)) is None

    def test_one_of_three_leads_and_all_are_told_who(self, tmp_path: Path) -> None:
        """With the address as it stood for election, and the term of its mandate."""

        async def test() -> None:
            async with self._candidates(tmp_path.name, 3) as sinks:
                await self._wait(sinks, lambda: all(sink.leader_seen for sink in sinks))
                await self._wait(sinks, lambda: any(sink.leads for sink in sinks))
                (place,) = [place for place, sink in enumerate(sinks) if sink.leads]
                expected = Leader(_address(place), sinks[place].reigns[-1].term)
                await self._wait(sinks, lambda: all(sink.leader_seen == expected for sink in sinks))
            assert sum(len(sink.reigns) for sink in sinks) == 1

        self.run(test)

    def test_a_leader_that_resigns_is_followed_at_once_in_a_greater_term(
        self, tmp_path: Path
    ) -> None:
        """It has lost before its campaign ends, and nobody leads twice at a time."""

        async def hand_over() -> list[float]:
            first, second = RecordingElectionSink(), RecordingElectionSink()
            async with self._candidate(tmp_path.name, second, "n2:1") as campaign:
                await self._wait([second], lambda: second.leads)
                async with self._candidate(tmp_path.name, first, "n1:1"):
                    await self._wait([first], lambda: first.leader_seen is not None)
                    assert not first.leads
                    campaign.cancel()
                    cancelled = trio.current_time()
                    await self._wait([first], lambda: first.leads)
                    assert second.reigns[-1].ended <= first.reigns[-1].began
                    assert second.reigns[-1].term < first.reigns[-1].term
                    expected = Leader("n1:1", first.reigns[-1].term)
                    await self._wait([first], lambda: first.leader_seen == expected)
            return [first.reigns[-1].began - cancelled]

        self.run(lambda: assert_quick(hand_over, self.resign_seconds))

    def test_when_the_last_leader_has_resigned_nobody_is_told_to_lead(self, tmp_path: Path) -> None:
        """And a candidate that comes then is elected at once."""

        async def test() -> None:
            sink = RecordingElectionSink()

            async def stand() -> list[float]:
                stood = trio.current_time()
                async with self._candidate(tmp_path.name, sink, "n1:1"):
                    await self._wait([sink], lambda: sink.leads)
                assert not sink.leads
                return [sink.reigns[-1].began - stood]

            for _ in range(2):
                await assert_quick(stand, self.resign_seconds)
            watcher = RecordingElectionSink()
            async with self._candidate(tmp_path.name, watcher, "n2:1"):
                await self._wait([watcher], lambda: watcher.leads)
            assert [reign.term for reign in sink.reigns] == sorted(
                {reign.term for reign in sink.reigns}
            )

        self.run(test)

    def test_a_leader_that_is_cut_off_stops_before_another_leads(self, tmp_path: Path) -> None:
        """Within the time to live; and when the network is back it knows the new leader."""

        async def test() -> None:
            cut, other = RecordingElectionSink(), RecordingElectionSink()
            with FreezingProxy(self.store.port) as proxy:
                async with self._candidate(tmp_path.name, cut, "n1:1", proxy.port):
                    await self._wait([cut], lambda: cut.leads)
                    async with self._candidate(tmp_path.name, other, "n2:1"):
                        await self._wait([other], lambda: other.leader_seen is not None)
                        assert cut.mandate is not None
                        proxy.freeze()
                        with trio.fail_after(self.takeover_seconds):
                            await other.wait_until(lambda: other.leads)
                        assert cut.reigns[-1].ended < other.reigns[-1].began
                        assert cut.mandate.until < other.reigns[-1].began
                        assert cut.reigns[-1].term < other.reigns[-1].term
                        proxy.thaw()
                        expected = Leader("n2:1", other.reigns[-1].term)
                        await self._wait([cut], lambda: cut.leader_seen == expected)
                    await self._wait([cut], lambda: cut.leads)

        self.run(test)

    def test_a_leader_that_is_cut_off_ends_its_campaign_promptly(self, tmp_path: Path) -> None:
        """A manager that is stopped does not wait for its store."""

        numbers = count()

        async def stop() -> list[float]:
            # What it held is held on: each has a seat of its own.
            prefix, sink = f"{tmp_path.name}-{next(numbers)}", RecordingElectionSink()
            with FreezingProxy(self.store.port) as proxy:
                async with self._candidate(prefix, sink, "n1:1", proxy.port) as campaign:
                    await self._wait([sink], lambda: sink.leads)
                    proxy.freeze()
                    campaign.cancel()
                    cancelled = trio.current_time()
                    await self._wait([sink], lambda: not sink.leads)
                return [sink.reigns[-1].ended - cancelled, trio.current_time() - cancelled]

        self.run(lambda: assert_quick(stop, 0.5, 5.0))

    def test_a_store_that_restarts_never_has_two_leaders(self, tmp_path: Path) -> None:
        """And has one when it is back: the old one, or another."""

        async def test() -> None:
            async with self._candidates(tmp_path.name, 2) as sinks:
                await self._wait(sinks, lambda: any(sink.leads for sink in sinks))
                await trio.to_thread.run_sync(self.store.kill)
                await self._wait(sinks, lambda: all(sink.failures for sink in sinks))
                await trio.to_thread.run_sync(self.store.start)
                await self._wait(sinks, lambda: all(_agree(sinks, sink) for sink in sinks))
            reigns = sorted(
                (reign for sink in sinks for reign in sink.reigns), key=lambda reign: reign.began
            )
            for before, after in pairwise(reigns):
                assert before.ended <= after.began
                assert before.term < after.term

        self.run(test)

    def test_a_store_that_is_not_there_yet_is_waited_for(self, tmp_path: Path) -> None:
        """Nobody leads, and the reason is told in one line."""
        self.store.kill()

        async def test() -> None:
            sink = RecordingElectionSink()
            async with self._candidate(tmp_path.name, sink, "n1:1"):
                await self._wait([sink], lambda: bool(sink.failures))
                assert not sink.leads
                assert "\n" not in sink.failures[0]
                await trio.to_thread.run_sync(self.store.start)
                await self._wait([sink], lambda: sink.leads)

        self.run(test)

    # ---- candidates

    @asynccontextmanager
    async def _candidate(
        self, prefix: str, sink: RecordingElectionSink, address: str, port: int | None = None
    ) -> AsyncIterator[trio.CancelScope]:
        """One that stands for the length of the block, or until the scope is cancelled."""
        election, scope = self.election(prefix, port), trio.CancelScope()

        async def campaign() -> None:
            with scope:
                await election.campaign(address, sink)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(campaign)
            yield scope
            nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def _candidates(
        self, prefix: str, count: int
    ) -> AsyncIterator[list[RecordingElectionSink]]:
        sinks = [RecordingElectionSink() for _ in range(count)]
        async with trio.open_nursery() as nursery:
            for place, sink in enumerate(sinks):
                nursery.start_soon(self.election(prefix).campaign, _address(place), sink)
            yield sinks
            nursery.cancel_scope.cancel()

    async def _wait(self, sinks: list[RecordingElectionSink], state: Callable[[], bool]) -> None:
        """Wait until *state* holds, which may depend on what any of *sinks* was told."""
        with trio.fail_after(self.patience_seconds):
            async with trio.open_nursery() as nursery:

                async def watch(sink: RecordingElectionSink) -> None:
                    await sink.wait_until(state)
                    nursery.cancel_scope.cancel()

                for sink in sinks:
                    nursery.start_soon(watch, sink)


def _address(place: int) -> str:
    return f"n{place + 1}:2376"


def _agree(sinks: list[RecordingElectionSink], sink: RecordingElectionSink) -> bool:
    """Whether *sink* was told of the one that leads."""
    leaders = [
        Leader(_address(place), each.reigns[-1].term)
        for place, each in enumerate(sinks)
        if each.leads
    ]
    return len(leaders) == 1 and sink.leader_seen == leaders[0]
