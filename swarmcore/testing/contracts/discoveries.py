"""The contract of a discovery."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest
import trio

from swarmcore.addresses import Address
from swarmcore.errors import ConfigError, PluginNotFound
from swarmcore.protocols import Discovery, DiscoveryOptions, DiscoveryURI, Entry
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.quickness import assert_quick
from swarmcore.testing.contracts.recording import Recording


class RecordingSink(Recording):
    """A ``DiscoverySink`` that records its calls.

    Attributes:
        lists: every list of entries, in order.
        failures: the reason of every failure, in order.
        problems: the entries that the last list skipped.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lists: list[Sequence[Entry]] = []
        self.failures: list[str] = []
        self.problems: Sequence[str] = ()

    def entries(self, entries: Sequence[Entry], problems: Sequence[str] = ()) -> None:
        """Record the full list."""
        self.lists.append(entries)
        self.problems = problems
        self._tell()

    def failed(self, reason: str) -> None:
        """Record that the list could not be read."""
        self.failures.append(reason)
        self._tell()


class DiscoveryContract(PluginContract):
    """The tests of a discovery.

    A subclass sets ``name`` and ``uri``, or overrides ``prepare`` instead of setting ``uri``.

    Attributes:
        uri: a URI that lists at least one engine.
        bad_uris: URIs of the plugin's scheme that cannot work.
        supports_watch: whether the list can change while it is watched; then override ``change``.
        supports_failure: whether reading can fail later; then override ``damage``.
        heartbeat_seconds: ``--heartbeat`` for the tests.
        patience_seconds: the time limit for every report.
        cancel_seconds: the time limit for the end of a cancelled watch.
    """

    kind = "discovery"
    hook = "swarmcore_discovery"
    uri: ClassVar[str] = ""
    bad_uris: ClassVar[Sequence[str]] = ()
    supports_watch: ClassVar[bool] = False
    supports_failure: ClassVar[bool] = False
    heartbeat_seconds: ClassVar[float] = 0.1
    patience_seconds: ClassVar[float] = 10.0
    cancel_seconds: ClassVar[float] = 0.5

    def prepare(self, folder: Path) -> str:
        """Make the list of engines, if necessary, and return its URI.

        Args:
            folder: an empty folder for the test.
        """
        return self.uri

    def change(self, folder: Path) -> None:
        """Change the list that ``prepare`` made.  Called while it is watched."""
        raise NotImplementedError("a contract with supports_watch says how the list changes")

    def damage(self, folder: Path) -> None:
        """Make the list unreadable.  Called while it is watched."""
        raise NotImplementedError("a contract with supports_failure says how reading fails")

    def discovery(self, uri: str) -> Discovery:
        """Make the discovery for *uri*, as the manager does."""
        scheme, separator, rest = uri.partition("://")
        parsed = DiscoveryURI(scheme, rest) if separator else DiscoveryURI("nodes", uri)
        options = DiscoveryOptions(
            heartbeat_seconds=self.heartbeat_seconds,
            ttl_seconds=3 * self.heartbeat_seconds,
            options=self.options,
        )
        return self.load().discovery(parsed, options)

    def run(self, test: Callable[[], Awaitable[None]]) -> None:
        """Run an async test with a time limit; this needs no pytest plugin for trio."""

        async def limited() -> None:
            with trio.fail_after(4 * self.patience_seconds):
                await test()

        trio.run(limited)

    def watching(self, uri: str) -> AbstractAsyncContextManager[RecordingSink]:
        """Watch *uri* during the block, which begins after the first list."""
        return _watching(self.discovery(uri), self.patience_seconds)

    def test_the_first_list_comes_promptly_and_whole(self, tmp_path: Path) -> None:
        """The addresses are all different, and the labels are strings."""
        uri = self.prepare(tmp_path)

        async def test() -> None:
            async with self.watching(uri) as sink:
                entries = sink.lists[0]
            assert entries, f"{uri} lists no engine"
            assert all(isinstance(entry, Entry) for entry in entries)
            assert all(isinstance(entry.address, Address) for entry in entries)
            addresses = [entry.address for entry in entries]
            assert len(addresses) == len(set(addresses))
            labels = [item for entry in entries for pair in entry.labels.items() for item in pair]
            assert all(isinstance(item, str) for item in labels)

        self.run(test)

    def test_a_cancelled_watch_ends_at_once(self, tmp_path: Path) -> None:
        """The manager must be able to stop, whatever a store does at that moment."""
        discovery = self.discovery(self.prepare(tmp_path))

        async def stop() -> list[float]:
            async with _watching(discovery, self.patience_seconds):
                cancelled = trio.current_time()
            return [trio.current_time() - cancelled]

        self.run(lambda: assert_quick(stop, self.cancel_seconds))

    def test_a_second_watch_starts_from_the_beginning(self, tmp_path: Path) -> None:
        """After a failure, the manager watches the same object again."""
        discovery = self.discovery(self.prepare(tmp_path))

        async def test() -> None:
            lists = []
            for _ in range(2):
                async with _watching(discovery, self.patience_seconds) as sink:
                    lists.append(list(sink.lists[0]))
            assert lists[0] == lists[1]

        self.run(test)

    def test_a_change_is_reported_as_a_full_list(self, tmp_path: Path) -> None:
        """Tested only if ``supports_watch`` is set."""
        if not self.supports_watch:
            return
        uri = self.prepare(tmp_path)

        async def test() -> None:
            async with self.watching(uri) as sink:
                before = list(sink.lists[0])
                await trio.to_thread.run_sync(self.change, tmp_path)
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: list(sink.lists[-1]) != before)

        self.run(test)

    def test_a_failure_is_told_beside_the_list_and_never_as_an_empty_one(
        self, tmp_path: Path
    ) -> None:
        """Tested only if ``supports_failure`` is set.  The cluster keeps the last list."""
        if not self.supports_failure:
            return
        uri = self.prepare(tmp_path)

        async def test() -> None:
            async with self.watching(uri) as sink:
                await trio.to_thread.run_sync(self.damage, tmp_path)
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: bool(sink.failures))
            assert all(sink.lists), "an empty list means that there are no engines"
            assert all(reason and "\n" not in reason for reason in sink.failures)

        self.run(test)

    def test_a_uri_that_cannot_work_stops_the_start_with_one_line(self) -> None:
        """Tested for each of ``bad_uris``."""
        for uri in self.bad_uris:
            with pytest.raises(ConfigError) as raised:
                self.discovery(uri)
            assert str(raised.value).strip() != "", uri
            assert "\n" not in str(raised.value), uri

    def test_another_scheme_is_left_to_others(self) -> None:
        """For another scheme, the hook returns ``None``."""
        with pytest.raises(PluginNotFound):
            self.discovery("no-such-scheme-anywhere://10.0.0.1:2375")


@asynccontextmanager
async def _watching(discovery: Discovery, patience_seconds: float) -> AsyncIterator[RecordingSink]:
    sink = RecordingSink()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(discovery.watch, sink)
        with trio.fail_after(patience_seconds):
            await sink.wait_until(lambda: bool(sink.lists))
        yield sink
        nursery.cancel_scope.cancel()
