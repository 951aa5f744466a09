"""The contract of a leader election in a store, tested on the real store."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count, pairwise
from pathlib import Path
from typing import ClassVar, cast

import trio

from swarmcore.protocols import (
    DiscoveryOptions,
    DiscoveryURI,
    Election,
    KeepsSettings,
    Leader,
    SharedText,
)
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.quickness import assert_quick
from swarmcore.testing.contracts.recording import RecordingElectionSink
from swarmcore_lab.contracts.with_store import WithStore
from swarmcore_lab.freezing import FreezingProxy


class ElectionContract(WithStore, PluginContract):
    """The tests of an election; a subclass sets ``name`` and ``store_class``.

    Attributes:
        ttl_seconds: ``--replication-ttl`` of the tests, in seconds.  It is long enough that a
            machine which is busy for one or two seconds neither loses a leader nor changes the
            order of events.
        takeover_seconds: the time limit for a new leader after the connection of the old one froze.
        resign_seconds: the time limit for a new leader after the old one resigned.
        patience_seconds: the time limit for all other events.
    """

    kind = "discovery"
    hook = "swarmcore_election"
    ttl_seconds: ClassVar[float] = 10.0
    takeover_seconds: ClassVar[float] = 15.0
    resign_seconds: ClassVar[float] = 2.0
    patience_seconds: ClassVar[float] = 30.0

    def election(self, prefix: str, port: int | None = None) -> Election:
        """Make a new election object, as each manager has one.

        Args:
            prefix: the prefix of the keys.
            port: the loopback port by which it reaches the store; ``None`` for the store's own.
        """
        uri = DiscoveryURI(self.store.scheme, f"127.0.0.1:{port or self.store.port}/{prefix}")
        options = DiscoveryOptions(ttl_seconds=self.ttl_seconds, options=self.options)
        election = self.load().election(uri, options)
        assert election is not None, f"{self.name} does not elect for {uri}"
        return election

    def run(self, test: Callable[[], Awaitable[None]]) -> None:
        """Run an async test with a time limit; this needs no pytest plugin for trio."""

        async def limited() -> None:
            with trio.fail_after(3 * self.patience_seconds):
                await test()

        trio.run(limited)

    def test_another_scheme_is_left_to_others(self) -> None:
        """For another scheme, the hook returns ``None``."""
        uri = DiscoveryURI("no-such-scheme-anywhere", "10.0.0.1:1")
        assert self.load().election(uri, DiscoveryOptions(ttl_seconds=4.0)) is None

    def test_one_of_three_leads_and_all_are_told_who(self, tmp_path: Path) -> None:
        """All candidates learn the leader's address and the term of its mandate."""

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
        """The old leader's mandate ends before its campaign ends and before the next one begins."""

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
        """The next candidate is elected at once."""

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
        """Its mandate ends within the time to live; later it learns of the new leader."""

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
            # The store keeps the seat of the frozen leader, so each run uses another prefix.
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
        """When the store is back, the old leader or another one leads."""

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

    def test_after_a_long_outage_of_the_store_the_old_leader_does_not_keep_others_out(
        self, tmp_path: Path
    ) -> None:
        """A store renews all sessions when it is back; those of an ended mandate are ended."""

        async def return_of_the_store() -> list[float]:
            async with self._candidates(tmp_path.name, 2) as sinks:
                await self._wait(sinks, lambda: any(sink.leads for sink in sinks))
                await trio.to_thread.run_sync(self.store.kill)
                await self._wait(sinks, lambda: not any(sink.leads for sink in sinks))
                await trio.sleep(0.3 * self.ttl_seconds)  # the release has failed by then
                await trio.to_thread.run_sync(self.store.start)
                back = trio.current_time()
                await self._wait(sinks, lambda: any(sink.leads for sink in sinks))
            return [max(sink.reigns[-1].began for sink in sinks if sink.reigns) - back]

        self.run(lambda: assert_quick(return_of_the_store, self.ttl_seconds / 2))

    def test_a_store_that_is_not_there_yet_is_waited_for(self, tmp_path: Path) -> None:
        """Meanwhile there is no leader, and the reason is reported in one line."""
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

    # ---- the settings of operators

    def settings(self, prefix: str) -> SharedText:
        """The settings of a new election object."""
        settings: SharedText = cast("KeepsSettings", self.election(prefix)).settings
        return settings

    def test_settings_are_read_by_the_next_primary(self, tmp_path: Path) -> None:
        """The store keeps them unchanged, whoever leads."""

        async def test() -> None:
            first, second = self.settings(tmp_path.name), self.settings(tmp_path.name)
            assert await first.read() == ""
            written = ""
            for text in ('{"nodes": {}}\n', "grün \u2028", "x" * 100_000):
                assert await first.write(text, replacing=written)
                assert await second.read() == text
                written = text
            assert await self.settings(f"{tmp_path.name}-other").read() == ""

        self.run(test)

    def test_settings_that_another_manager_has_changed_are_not_overwritten(
        self, tmp_path: Path
    ) -> None:
        """A former primary that was stopped for a while must not undo what the new one wrote."""

        async def test() -> None:
            former, current = self.settings(tmp_path.name), self.settings(tmp_path.name)
            assert await current.write("new", replacing="")
            assert not await former.write("old", replacing="")
            assert not await former.write("old", replacing="older")
            assert await current.read() == "new"
            assert await former.write("newer", replacing="new")
            assert await current.read() == "newer"

        self.run(test)

    # ---- candidates

    @asynccontextmanager
    async def _candidate(
        self, prefix: str, sink: RecordingElectionSink, address: str, port: int | None = None
    ) -> AsyncIterator[trio.CancelScope]:
        """Run a candidate until the block ends or the yielded scope is cancelled."""
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
        """Wait until *state* is true; it may use anything that *sinks* recorded."""
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
    """Return whether there is exactly one leader, and *sink* was told of it."""
    leaders = [
        Leader(_address(place), each.reigns[-1].term)
        for place, each in enumerate(sinks)
        if each.leads
    ]
    return len(leaders) == 1 and sink.leader_seen == leaders[0]
