"""The contract of a discovery with announcements (``swarmcore join``), tested on its real store."""

from pathlib import Path
from typing import ClassVar

import trio

from swarmcore.addresses import parse_address
from swarmcore.errors import SwarmError
from swarmcore.protocols import Discovery, Entry, Registrar
from swarmcore.stores import describe_entry
from swarmcore.testing.contracts.discoveries import DiscoveryContract, RecordingSink
from swarmcore.testing.contracts.quickness import assert_quick
from swarmcore_lab.contracts.with_store import WithStore

_FIRST = Entry(parse_address("n1:2375"), {"zone": "a"})
_SECOND = Entry(parse_address("n2:2375"))
_THIRD = Entry(parse_address("n3:2375"))
_SEEN_SECONDS = 2.0


class StoreContract(WithStore, DiscoveryContract):
    """The tests of a discovery; a subclass sets ``name`` and ``store_class``.

    Attributes:
        path: the path of the engines' keys below the prefix.
    """

    supports_watch = True
    supports_failure = True
    # An announcement is valid for three heartbeats; this must last for a whole test.
    heartbeat_seconds = 10.0
    patience_seconds = 18.0
    path: ClassVar[str] = "docker/swarm/nodes"

    def prepare(self, folder: Path) -> str:
        """Write two engines into the store, as a running ``swarmcore join`` does."""
        uri = self.store.uri(folder.name)
        self._announce(uri, _FIRST)
        self._announce(uri, _SECOND)
        return uri

    def change(self, folder: Path) -> None:
        """Write a third engine into the store."""
        self._announce(self.store.uri(folder.name), _THIRD)

    def damage(self, folder: Path) -> None:
        """Kill the store."""
        self.store.kill()

    def registrar(self, uri: str) -> Registrar:
        """Make a new registrar, as ``swarmcore join`` has one."""
        discovery = self.discovery(uri)
        assert isinstance(discovery, Registrar), f"{self.name} takes no announcements"
        return discovery

    def _announce(self, uri: str, entry: Entry) -> None:
        self.store.put(
            f"{uri.rpartition('/')[2]}/{self.path}/{entry.address}", describe_entry(entry)
        )

    # ---- announcing

    def test_an_engine_that_joins_is_seen_with_its_labels_within_two_seconds(
        self, tmp_path: Path
    ) -> None:
        """An engine that leaves disappears from the list as fast."""
        uri = self.prepare(tmp_path)
        joiner = self.registrar(uri)
        entry = Entry(parse_address("n9:2375"), {"zone": "attic", "disk": "ssd"})

        async def test() -> None:
            async with self.watching(uri) as sink:

                async def come_and_go() -> list[float]:
                    await joiner.register(entry)
                    came = trio.current_time()
                    with trio.fail_after(self.patience_seconds):
                        await sink.wait_until(lambda: entry in sink.lists[-1])
                    seen = trio.current_time()
                    await joiner.leave(entry)
                    left = trio.current_time()
                    with trio.fail_after(self.patience_seconds):
                        await sink.wait_until(lambda: entry not in sink.lists[-1])
                    return [seen - came, trio.current_time() - left]

                # A discovery that polls its list would not be fast twice in a row.
                await assert_quick(come_and_go, _SEEN_SECONDS, _SEEN_SECONDS)
            assert list(sink.lists[-1]) == [_FIRST, _SECOND]

        self.run(test)

    def test_announcing_again_and_again_changes_nothing(self, tmp_path: Path) -> None:
        """Repeated announcements keep an engine in the list."""
        uri = self.prepare(tmp_path)
        joiner = self.registrar(uri)

        async def test() -> None:
            for _ in range(3):
                await joiner.register(_THIRD)
            async with self.watching(uri) as sink:
                assert list(sink.lists[-1]) == [_FIRST, _SECOND, _THIRD]
            await joiner.leave(_THIRD)

        self.run(test)

    # ---- failures

    def test_a_store_that_restarts_never_empties_the_list(self, tmp_path: Path) -> None:
        """Later changes are seen as before."""
        uri = self.prepare(tmp_path)

        async def test() -> None:
            async with self.watching(uri) as sink:
                await trio.to_thread.run_sync(self.store.kill)
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: bool(sink.failures))
                await trio.to_thread.run_sync(self.store.start)
                await trio.to_thread.run_sync(self._announce, uri, _THIRD)
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: _THIRD in sink.lists[-1])
            assert all(_FIRST in entries and _SECOND in entries for entries in sink.lists)

        self.run(test)

    def test_a_store_that_lost_its_data_gets_the_engine_back(self, tmp_path: Path) -> None:
        """The next announcement, or the one after it, writes the engine again."""
        uri = self.store.uri(tmp_path.name)
        joiner = self.registrar(uri)

        async def test() -> None:
            await joiner.register(_FIRST)
            await trio.to_thread.run_sync(self._lose_data)
            await _register_until_done(joiner, _FIRST, self.patience_seconds)
            async with self.watching(uri) as sink:
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: list(sink.lists[-1]) == [_FIRST])
            await joiner.leave(_FIRST)

        self.run(test)

    def _lose_data(self) -> None:
        self.store.kill()
        self.store.wipe()
        self.store.start()

    def test_a_value_that_is_no_engine_is_skipped_and_named(self, tmp_path: Path) -> None:
        """Swarm classic refused the whole list."""
        uri = self.prepare(tmp_path)
        self.store.put(f"{tmp_path.name}/{self.path}/broken", "no engine at all")

        async def test() -> None:
            async with self.watching(uri) as sink:
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: bool(sink.problems))
            assert list(sink.lists[0]) == [_FIRST, _SECOND]
            assert "no engine at all" in sink.problems[0]
            assert not sink.failures

        self.run(test)

    def test_a_store_that_is_not_there_yet_is_waited_for(self, tmp_path: Path) -> None:
        """The manager starts without the list."""
        uri = self.prepare(tmp_path)
        discovery: Discovery = self.discovery(uri)
        self.store.kill()

        async def test() -> None:
            sink = RecordingSink()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(discovery.watch, sink)
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: bool(sink.failures))
                await trio.to_thread.run_sync(self.store.start)
                with trio.fail_after(self.patience_seconds):
                    await sink.wait_until(lambda: bool(sink.lists))
                nursery.cancel_scope.cancel()
            assert list(sink.lists[0]) == [_FIRST, _SECOND]

        self.run(test)


async def _register_until_done(joiner: Registrar, entry: Entry, seconds: float) -> None:
    """Register *entry* twice: the first one may still reach the store before it loses its data."""
    done = 0
    with trio.fail_after(seconds):
        while done < 2:
            try:
                await joiner.register(entry)
            except SwarmError:
                await trio.sleep(0.1)
            else:
                done += 1
