"""An engine's ``info`` and ``version`` become a node's fields."""

import pytest

from swarmcore.engine.specs import read_api_range, read_specs
from swarmcore.errors import EngineError
from swarmcore.node import Node
from swarmcore.versions import ApiVersion

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
INFO = {"ID": "ABCD:EFGH", "Name": "n1", "NCPU": 4, "MemTotal": 1 << 33, "Future": {"x": 1}}
NOW = 1_700_000_000.0


def specs(info=None, version=VERSION, now=NOW, labels=None):
    return read_specs(version, {**INFO, **(info or {})}, "10.0.0.1:2375", now, labels)


def test_identity_and_size_are_read_and_info_is_kept_whole():
    read = specs()
    node = Node("x", "10.0.0.1:2375")
    read.describe(node)
    assert (node.name, node.cpus, node.memory, node.version) == ("n1", 4, 1 << 33, "20.10.24")
    assert (node.api_version, node.min_api_version) == ((1, 41), (1, 12))
    assert node.info["Future"] == {"x": 1}
    assert node.id == "x"


@pytest.mark.parametrize("info", [{"NCPU": 0}, {"MemTotal": 0}, {"NCPU": None}], ids=str)
def test_an_answer_without_resources_is_refused(info):
    with pytest.raises(EngineError, match="cannot get resources for this engine, make sure 10"):
        specs(info)


def test_labels_are_the_built_in_ones_then_the_engines_own_then_discoverys():
    read = specs(
        {
            "Driver": "overlay2",
            "OSType": "linux",
            "Labels": ["zone=a", "zone=b", "storagedriver=mine", "node=n9", "bare", "empty="],
        },
        labels={"zone": "discovered", "rack": "r1"},
    )
    assert read.labels == {
        "storagedriver": "overlay2", "ostype": "linux", "zone": "a", "empty": "", "rack": "r1",
    }  # fmt: skip
    assert [note.split(" is ")[0] for note in read.notes] == [
        "its label zone=b", "its label storagedriver=mine", "its label 'node'", "its label 'bare'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "notes"), [("0.5", 0), ("-0.5", 0), ("", 1), ("much", 1), ("-1", 1), ("1e308", 1)]
)
def test_an_ignored_overcommit_is_noted(label, notes):
    for read in (
        specs({"Labels": [f"swarm.overcommit={label}"]}),
        specs(labels={"swarm.overcommit": label}),
    ):
        assert len(read.notes) == notes
        assert all(f"swarm.overcommit={label} is ignored" in note for note in read.notes)


@pytest.mark.parametrize(
    ("system_time", "skew"),
    [
        ("2023-11-14T22:13:20.123456789Z", 0),
        ("2023-11-14T22:13:10Z", 10),
        ("2023-11-15T00:13:30+02:00", -10),
        ("", 0),
        (None, 0),
        ("yesterday", 0),
        ("0001-01-01T00:00:00Z", NOW + 62135596800),
    ],
    ids=str,
)
def test_clock_skew_is_noticed_and_tolerated(system_time, skew):
    assert specs({"SystemTime": system_time}).skew_seconds == pytest.approx(skew)


@pytest.mark.parametrize(
    ("version", "newest", "oldest"),
    [
        ({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}, (1, 41), (1, 12)),
        ({"ApiVersion": "1.55", "MinAPIVersion": "1.40"}, (1, 55), (1, 40)),
        ({"ApiVersion": "1.30"}, (1, 30), (1, 24)),
        ({}, (1, 24), (1, 24)),
    ],
    ids=str,
)
def test_the_range_of_api_versions_is_read(version, newest, oldest):
    assert read_api_range(version, "a") == (ApiVersion(*newest), ApiVersion(*oldest))


@pytest.mark.parametrize(
    "version",
    [{"ApiVersion": "1.23"}, {"ApiVersion": "1.90", "MinAPIVersion": "1.80"}, [], "x", None],
    ids=str,
)
def test_an_engine_without_a_common_version_is_refused_by_name(version):
    with pytest.raises(EngineError, match=r"10\.0\.0\.1:2375"):
        read_api_range(version, "10.0.0.1:2375")
