"""Node settings of operators are kept in a file, read again, and never written in part."""

import json

import pytest
import trio

from swarmcore.cluster import NodeSettingsStore
from swarmcore.errors import ConfigError, Conflict, SwarmError
from swarmcore.model import Drain, NodeSettings
from swarmcore.testing.builders import a_node

N1 = "10.0.0.1:2375"
DRAIN = Drain("kernel upgrade", "anna", 1_577_836_800)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "nodes.json"


async def test_saved_settings_are_read_again(path):
    store = NodeSettingsStore(path)
    await store.drain(N1, DRAIN)
    await store.label(N1, {"zone": "b", "disk": "ssd"})
    assert NodeSettingsStore(path).of(N1) == NodeSettings(DRAIN, {"zone": "b", "disk": "ssd"})


async def test_the_file_is_for_people_too(path):
    store = NodeSettingsStore(path)
    await store.label("10.0.0.2:2375", {"zone": "b"})
    await store.drain(N1, DRAIN)
    assert json.loads(path.read_text()) == {
        "nodes": {
            N1: {
                "drained": {
                    "reason": "kernel upgrade",
                    "author": "anna",
                    "since": "2020-01-01T00:00:00+00:00",
                }
            },
            "10.0.0.2:2375": {"labels": {"zone": "b"}},
        }
    }


async def test_removed_settings_leave_nothing(path):
    store = NodeSettingsStore(path)
    await store.drain(N1, DRAIN)
    await store.label(N1, {"zone": "b"})
    await store.drain(N1, None)
    assert store.of(N1) == NodeSettings(None, {"zone": "b"})
    await store.label(N1, {"zone": None, "never": None})
    assert json.loads(path.read_text()) == {"nodes": {}}


async def test_without_a_file_settings_last_as_long_as_the_object():
    store = NodeSettingsStore()
    await store.drain(N1, DRAIN)
    assert store.of(N1).drained == DRAIN
    assert not store.is_kept


async def test_settings_that_cannot_be_written_do_not_apply(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    store = NodeSettingsStore(folder / "nodes.json")
    folder.rmdir()
    with pytest.raises(SwarmError, match=r"cannot write .*nodes\.json: No such file"):
        await store.drain(N1, DRAIN)
    assert store.of(N1) == NodeSettings()


async def test_changes_at_the_same_time_all_count(path):
    store = NodeSettingsStore(path)
    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(store.label, N1, {f"key{number}": "on"})
    assert len(NodeSettingsStore(path).of(N1).labels) == 10
    assert [left.name for left in path.parent.iterdir()] == ["nodes.json"]


def test_a_file_by_hand_may_say_little(path):
    path.write_text('{"nodes": {"tcp://10.0.0.1:2375": {"drained": {"reason": "noisy"}}}}')
    assert NodeSettingsStore(path).of(N1).drained == Drain("noisy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"nodes": []}',
        '{"nodes": {"nowhere": {}}}',
        '{"nodes": {"10.0.0.1:2375": 1}}',
        '{"nodes": {"10.0.0.1:2375": {"labels": {"a": 1}}}}',
        '{"nodes": {"10.0.0.1:2375": {"drained": "yes"}}}',
        '{"nodes": {"10.0.0.1:2375": {"drained": {"since": "yesterday"}}}}',
    ],
)
def test_a_file_of_another_format_stops_the_start(path, text):
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"--node-settings .*nodes\.json: not of the form"):
        NodeSettingsStore(path)


def test_a_folder_that_is_missing_stops_the_start(tmp_path):
    with pytest.raises(ConfigError, match="there is no folder"):
        NodeSettingsStore(tmp_path / "no" / "nodes.json")


# ---- on the node


def test_added_labels_go_before_the_engines_and_leave_them():
    node = a_node("n1", labels={"zone": "a", "disk": "ssd"})
    node.apply(NodeSettings(labels={"zone": "b"}))
    assert node.labels == {"zone": "b", "disk": "ssd"}
    node.labels = {"zone": "c", "disk": "hdd"}
    assert node.labels == {"zone": "b", "disk": "hdd"}
    node.apply(NodeSettings())
    assert node.labels == {"zone": "c", "disk": "hdd"}
    assert node.added_labels == {}


@pytest.mark.parametrize(
    ("drain", "text"),
    [
        (DRAIN, "kernel upgrade, by anna"),
        (Drain(author="anna"), "by anna"),
        (Drain("noisy"), "noisy"),
        (Drain(), ""),
    ],
)
def test_a_drain_reads_well(drain, text):
    assert str(drain) == text


# ---- in the store of an election


class Shared:
    """A ``SharedText`` in memory."""

    def __init__(self, text=""):
        self.text = text
        self.broken = None

    async def read(self):
        await trio.lowlevel.checkpoint()
        if self.broken:
            raise self.broken
        return self.text

    async def write(self, text, *, replacing):
        await trio.lowlevel.checkpoint()
        if self.broken:
            raise self.broken
        if self.text != replacing:
            return False
        self.text = text
        return True


async def test_another_manager_loads_what_was_saved():
    shared = Shared()
    first, second = NodeSettingsStore(shared=shared), NodeSettingsStore(shared=shared)
    assert first.is_kept
    await first.load()
    await first.drain(N1, DRAIN)
    await first.label(N1, {"zone": "b"})
    assert second.of(N1) == NodeSettings()
    await second.load()
    assert second.of(N1) == NodeSettings(DRAIN, {"zone": "b"})
    await second.drain(N1, None)
    await second.label(N1, {"zone": None})
    await first.load()
    assert first.of(N1) == NodeSettings()


async def test_a_former_primary_does_not_overwrite_newer_settings():
    shared = Shared()
    former, current = NodeSettingsStore(shared=shared), NodeSettingsStore(shared=shared)
    await current.drain(N1, DRAIN)
    with pytest.raises(Conflict, match="another manager has changed"):
        await former.label(N1, {"zone": "b"})
    assert former.of(N1) == NodeSettings(DRAIN)
    await former.label(N1, {"zone": "b"})
    await current.load()
    assert current.of(N1) == NodeSettings(DRAIN, {"zone": "b"})


async def test_nothing_changes_if_the_store_does_not_answer():
    shared = Shared()
    store = NodeSettingsStore(shared=shared)
    shared.broken = SwarmError("no answer")
    with pytest.raises(SwarmError, match="no answer"):
        await store.drain(N1, DRAIN)
    assert store.of(N1) == NodeSettings()


@pytest.mark.parametrize("text", ["{", "[]", '{"nodes": 7}', '{"nodes": {"a b": {}}}'])
async def test_damaged_settings_in_the_store_are_told_and_kept(text):
    shared = Shared(text)
    with pytest.raises(SwarmError, match="in the store are damaged"):
        await NodeSettingsStore(shared=shared).load()
    assert shared.text == text


async def test_a_file_takes_precedence_over_the_store(path):
    shared = Shared()
    store = NodeSettingsStore(path, shared)
    await store.drain(N1, DRAIN)
    assert shared.text == ""
    assert NodeSettingsStore(path).of(N1).drained == DRAIN
