"""One report of the disk usage of several engines."""

import pytest
from swarmcore_api_docker.system.disk_usage import merge_usage, read_types, show_usage

from swarmcore.errors import BadRequest
from swarmcore.versions import ApiVersion

A, B = (f"sha256:{letter * 64}" for letter in "ab")


OLD = {"LayersSize": 5, "Images": [{"Id": A}], "Containers": [{"Id": "c"}], "Volumes": [],
       "BuildCache": None}  # fmt: skip


@pytest.mark.parametrize(
    ("version", "types", "merged"),
    [
        ((1, 41), (), {
            "LayersSize": 10, "Images": [{"Id": A}] * 2, "Containers": [{"Id": "c"}] * 2,
            "Volumes": [], "BuildCache": None, "BuilderSize": 0,
        }),
        ((1, 42), ("container",), {
            "LayersSize": 0, "Images": None, "Containers": [{"Id": "c"}] * 2, "Volumes": None,
            "BuildCache": None,
        }),
    ],
    ids=["all", "of one type"],
)  # fmt: skip
def test_disk_usage_is_added_up_and_nothing_is_merged(version, types, merged):
    assert merge_usage([OLD, OLD], ApiVersion(*version), types) == merged


def test_the_parameter_type_counts_from_api_1_42_on():
    assert read_types(["image", "nothing"], ApiVersion(1, 41)) == []
    assert read_types(["image", "volume"], ApiVersion(1, 42)) == ["image", "volume"]
    with pytest.raises(BadRequest, match=r"^unknown object type: nothing$"):
        read_types(["image", "nothing"], ApiVersion(1, 42))


def test_disk_usage_leaves_moved_names_out():
    image = {"Id": B, "RepoTags": ["host:5000/team/app:1"], "Size": 1}
    shown = show_usage({"Images": [image]}, {"host:5000/team/app:1": B})
    assert shown["Images"] == [{"Id": B, "RepoTags": [], "Size": 1}]
