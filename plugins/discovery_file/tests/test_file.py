"""A file of engines: its lines, its changes, and failures to read it."""

import math
import os
import threading
from pathlib import Path

import pytest
import trio
from swarmcore_discovery_file import FileDiscovery, swarmcore_discovery
from swarmcore_discovery_file.lines import parse_lines

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI

QUICK = DiscoveryOptions(heartbeat_seconds=0.01)


class Sink:
    """Records reports in order; a test waits for the next report."""

    def __init__(self):
        self._send, self._receive = trio.open_memory_channel(100)

    def entries(self, entries, problems):
        self._send.send_nowait([str(entry.address) for entry in entries])
        self.problems = problems

    def failed(self, reason):
        self._send.send_nowait(reason)

    async def next(self):
        with trio.fail_after(10):
            return await self._receive.receive()

    @property
    def waiting(self):
        return self._send.statistics().current_buffer_used


class LookedAt(type(Path())):
    """A path that reports each look at the file, and that can hang."""

    def __init__(self, *_):
        super().__init__()
        self.released = threading.Event()
        self.released.set()
        self._send, self._receive = trio.open_memory_channel(math.inf)

    def stat(self, **options):
        trio.from_thread.run_sync(self._send.send_nowait, None)
        self.released.wait(60)
        return super().stat(**options)

    async def wait_looks(self, count):
        with trio.fail_after(10):
            for _ in range(count):
                await self._receive.receive()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "cluster"
    path.write_text("n1:1\n")
    return path


@pytest.fixture
async def sink(path, nursery):
    """Return a sink that has the first list, and goes on watching."""
    sink = Sink()
    nursery.start_soon(swarmcore_discovery(DiscoveryURI("file", str(path)), QUICK).watch, sink)
    assert await sink.next() == ["n1:1"]
    return sink


# ---- lines


def test_lines_are_addresses_ranges_labels_and_comments():
    entries, problems = parse_lines(
        "# the fleet\n"
        "  10.0.0.[1:2]:2375  zone=a disk=ssd   # new ones\r\n"
        "\n"
        "ssh://ops@attic\n"
        "[::1]:2375#local\n"
        "n[2:1]:1\n"
        "unix:///run/docker.sock empty= twice=1 twice=2"
    )
    assert [(str(entry.address), dict(entry.labels)) for entry in entries] == [
        ("10.0.0.1:2375", {"zone": "a", "disk": "ssd"}),
        ("10.0.0.2:2375", {"zone": "a", "disk": "ssd"}),
        ("ssh://ops@attic", {}),
        ("[::1]:2375", {}),
        ("unix:///run/docker.sock", {"empty": "", "twice": "2"}),
    ]
    assert problems == []


def test_the_first_of_a_doubled_engine_counts():
    entries, _ = parse_lines("n2:1 a=1\nn1:1\ntcp://n2:1 a=2\n")
    assert [(str(entry.address), dict(entry.labels)) for entry in entries] == [
        ("n2:1", {"a": "1"}),
        ("n1:1", {}),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "n1",
        "n1:x",
        "n1:1,n2:1",
        "n1:1 ssd",
        "n1:1 =a",
        "http://n1:1",
        "n[1:2].[1:2]:1",
        "n[0:99999]",
    ],
)
def test_a_malformed_line_is_skipped_and_reported_with_number_and_text(line):
    entries, (problem,) = parse_lines(f"a:1\n{line}  # bad\nb:1")
    assert [str(entry.address) for entry in entries] == ["a:1", "b:1"]
    assert problem.startswith(f"line 2: {line!r}: ")


# ---- at the start


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: os.mkfifo(path), "not a regular file"),
        (lambda path: path.write_bytes(b"n1:1\n\xff"), "not UTF-8 text at byte 5"),
    ],
    ids=["missing", "folder", "pipe", "bytes"],
)
def test_an_error_at_the_start_is_one_line(tmp_path, make, why):
    path = tmp_path / "cluster"
    make(path)
    with pytest.raises(ConfigError, match=f"file://{path}: .*: {why}; write one HOST:PORT a line"):
        swarmcore_discovery(DiscoveryURI("file", str(path)), QUICK)


def test_a_path_is_required_and_other_schemes_are_ignored():
    with pytest.raises(ConfigError, match="write file:///PATH"):
        swarmcore_discovery(DiscoveryURI("file", ""), QUICK)
    assert swarmcore_discovery(DiscoveryURI("file+sd", "/x"), QUICK) is None


async def test_a_path_may_be_relative_and_a_byte_order_mark_is_no_text(path, monkeypatch, nursery):
    path.write_bytes(b"\xef\xbb\xbfn1:1\r\n")
    monkeypatch.chdir(path.parent)
    sink = Sink()
    nursery.start_soon(swarmcore_discovery(DiscoveryURI("file", "cluster"), QUICK).watch, sink)
    assert await sink.next() == ["n1:1"]


# ---- later


async def test_a_file_that_is_written_again_is_read_again(path, sink):
    path.write_text("n1:1\nn2:1\n")
    assert await sink.next() == ["n1:1", "n2:1"]
    path.write_text("")
    assert await sink.next() == []


async def test_a_file_that_is_replaced_by_one_of_the_same_size_and_time_is_read_again(path, sink):
    before = path.stat()
    other = path.with_name("other")
    other.write_text("n2:1\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert await sink.next() == ["n2:1"]


async def test_a_file_in_a_folder_that_is_swapped_by_its_link_is_read_again(tmp_path, nursery):
    for name, text in (("old", "n1:1"), ("new", "n2:1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cluster").write_text(text)
    (tmp_path / "now").symlink_to("old")
    sink = Sink()
    uri = DiscoveryURI("file", str(tmp_path / "now" / "cluster"))
    nursery.start_soon(swarmcore_discovery(uri, QUICK).watch, sink)
    assert await sink.next() == ["n1:1"]
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").replace(tmp_path / "now")
    assert await sink.next() == ["n2:1"]


async def test_an_unreadable_file_is_reported_once_and_the_list_stays(path, sink):
    path.unlink()
    failed = await sink.next()
    assert failed == f"{path}: No such file or directory; the last good list stays in force"
    path.symlink_to(path.parent)
    assert "Is a directory" in await sink.next()
    other = path.with_name("other")
    other.write_text("n1:1\n")
    other.replace(path)  # in one step: it may be looked at between two
    assert await sink.next() == ["n1:1"]  # nothing was reported in between


async def test_a_bad_line_is_reported_until_it_is_gone(path, sink):
    path.write_text("n1:1\nn2\nn3:1\n")
    assert await sink.next() == ["n1:1", "n3:1"]
    assert sink.problems == [f"{path} line 2: 'n2': address 'n2': missing port in address"]
    path.write_text("n1:1\n")
    assert await sink.next() == ["n1:1"]
    assert sink.problems == []


# ---- in the middle of being written

PATIENT = DiscoveryOptions(heartbeat_seconds=10)


@pytest.fixture
async def patient(path, nursery):
    """A sink that has three engines, of a file whose removals are doubted for a long time."""
    path.write_text("n1:1 zone=a\nn2:1\nn3:1\n")
    sink = Sink()
    discovery = FileDiscovery(path, 0.01, PATIENT.hold_seconds)
    nursery.start_soon(discovery.watch, sink)
    assert await sink.next() == ["n1:1", "n2:1", "n3:1"]
    return sink


@pytest.mark.parametrize("middle", ["", "n1:1 zone=a\n", "n1:1 zone=a\nn2", "\n# soon\n"])
async def test_engines_missing_while_a_file_is_written_stay(path, patient, middle):
    path.write_text(middle)
    await trio.sleep(0.2)  # for some looks
    path.write_text("n1:1 zone=a\nn2:1\nn3:1\nn4:1\n")
    assert await patient.next() == ["n1:1", "n2:1", "n3:1", "n4:1"]


async def test_added_engines_are_used_at_once(path, patient):
    path.write_text("n1:1 zone=a\nn4:1\n")
    assert await patient.next() == ["n1:1", "n4:1", "n2:1", "n3:1"]


async def test_a_file_that_replaces_another_is_whole(path, patient):
    other = path.with_name("other")
    other.write_text("n1:1 zone=a\n")
    other.replace(path)
    assert await patient.next() == ["n1:1"]


async def test_a_file_that_is_empty_is_doubted_even_where_it_is_another(path, patient):
    other = path.with_name("other")
    other.write_text("")
    other.replace(path)
    await trio.sleep(0.2)
    assert patient.waiting == 0


async def test_an_unchanged_list_is_reported_once(path, nursery):
    looked_at = LookedAt(path)
    sink = Sink()
    nursery.start_soon(FileDiscovery(looked_at, 0.001).watch, sink)
    await looked_at.wait_looks(5)
    assert (await sink.next(), sink.waiting) == (["n1:1"], 0)
    path.unlink()
    await looked_at.wait_looks(5)
    assert ("No such file" in await sink.next(), sink.waiting) == (True, 0)


async def test_it_stops_promptly_while_the_file_system_hangs(path):
    hanging = LookedAt(path)
    hanging.released.clear()
    try:
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(FileDiscovery(hanging, 1).watch, Sink())
                await hanging.wait_looks(1)
                nursery.cancel_scope.cancel()
    finally:
        hanging.released.set()


async def test_with_classics_rules_a_missing_file_is_waited_for(tmp_path, nursery):
    path = tmp_path / "cluster"
    uri = DiscoveryURI("file", str(path))
    with pytest.raises(ConfigError, match="No such file"):
        swarmcore_discovery(uri, DiscoveryOptions())
    options = DiscoveryOptions(heartbeat_seconds=0.01, options={"swarm.compat": "classic"})
    sink = Sink()
    nursery.start_soon(swarmcore_discovery(uri, options).watch, sink)
    assert "No such file" in await sink.next()
    path.write_text("n2:1\n")
    assert await sink.next() == ["n2:1"]
