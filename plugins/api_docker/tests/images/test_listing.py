"""``docker images``: one list from the lists of several engines."""

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from swarmcore_api_docker.images.filters import filter_images, find_bounds, indistinct_images
from swarmcore_api_docker.images.merge import (
    count_listed,
    merge_images,
    show_images,
    without_intermediates,
)

from swarmcore.errors import BadRequest, NotFound
from swarmcore.go_formats import BadValue
from swarmcore.list_filters import Filters
from swarmcore.versions import ApiVersion

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
NOW = 1000.0


def image(id, *tags, digests=(), created=10, **fields):
    return {"Id": id, "RepoTags": list(tags), "RepoDigests": list(digests), "Created": created,
            "Containers": -1, "SharedSize": -1, "Size": 5, **fields}  # fmt: skip


def ids(images):
    return [image["Id"] for image in images]


def test_one_row_per_id_with_the_names_of_all_engines():
    merged = merge_images([
        [image(A, "tool:1", "tool:2", digests=["tool@sha256:d"])],
        [image(A, "tool:2", "tool:3"), image(B, "<none>:<none>", digests=["<none>@<none>"])],
    ])  # fmt: skip
    assert ids(merged) == [A, B]
    assert merged[0]["RepoTags"] == ["tool:1", "tool:2", "tool:3"]
    assert merged[0]["RepoDigests"] == ["tool@sha256:d"]
    assert merged[1]["RepoTags"] == []


def test_merging_leaves_the_caches_alone():
    first = image(A, "tool:1")
    merge_images([[first], [image(A, "tool:2")]])
    assert first["RepoTags"] == ["tool:1"]


@pytest.mark.parametrize(
    ("counts", "merged"), [((-1, -1), -1), ((2, -1), 2), ((2, 3), 5), ((0, 0), 0)]
)
def test_containers_are_summed_where_known(counts, merged):
    lists = [[image(A, "t:1", Containers=count, SharedSize=count)] for count in counts]
    found = merge_images(lists)[0]
    assert (found["Containers"], found["SharedSize"]) == (merged, max(counts))


def test_the_newest_come_first():
    lists = [[image(A, created=1), image(B, created=3)], [image(C, created=2)]]
    assert ids(merge_images(lists)) == [B, C, A]


def test_manifests_are_merged_by_digest():
    def manifest(digest, available, *containers):
        return {"Descriptor": {"digest": digest}, "Available": available,
                "ImageData": {"Containers": list(containers)}}  # fmt: skip

    found = merge_images([
        [image(A, Manifests=[manifest("d1", False), manifest("d2", True, "x")])],
        [image(A, Manifests=[manifest("d1", True), manifest("d2", False, "y")])],
    ])[0]["Manifests"]  # fmt: skip
    assert [(each["Available"], each["ImageData"]["Containers"]) for each in found] == [
        (True, []), (True, ["x", "y"]),
    ]  # fmt: skip


IMAGES = merge_images([[
    image(A, "busybox:latest", "10.0.0.1:5000/team/tool:1", created=30, Labels={"v": "1"}),
    image(B, digests=["tool@sha256:d"], created=20, Labels=None),
    image(C, created=10),
]])  # fmt: skip


def filtered(filters, images=IMAGES, creation_times=None):
    async def find():
        read = Filters.of(filters)
        bounds = await find_bounds(images, read)
        return await filter_images(images, read, NOW, bounds, creation_times)

    return trio.run(find)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [A, B, C]),
        ({"dangling": ["true"]}, [B, C]),
        ({"dangling": ["false"]}, [A, B]),
        ({"label": ["v"]}, [A]),
        ({"label": ["v=2"]}, []),
        ({"before": ["busybox"]}, [B, C]),
        ({"since": ["cccc"]}, [A, B]),
        ({"until": ["25"]}, [B, C]),
        ({"reference": ["busybox"]}, [A]),
        ({"reference": ["busy*"]}, [A]),
        ({"reference": ["*/team/tool"]}, [A]),
        ({"reference": ["tool"]}, [B]),
        ({"reference": []}, []),
        ({"until": ["25", "15"]}, [C]),
        ({"reference": ["other", "tool"]}, [B]),
    ],
    ids=str,
)
def test_filters(filters, expected):
    assert ids(filtered(filters)) == expected


def test_a_reference_narrows_the_names():
    assert filtered({"reference": ["busybox"]})[0]["RepoTags"] == ["busybox:latest"]


def test_images_of_one_second_are_told_apart_where_that_is_known():
    images = [image(A, "a:1", created=30), image(B, "b:1", created=30), image(C, created=10)]
    assert ids(indistinct_images(images, {"before": [], "since": [[images[1]]]})) == [A, B]
    assert (
        indistinct_images(images, {"since": [[images[2]]]}) == indistinct_images(images, {}) == []
    )
    assert filtered({"since": ["b:1"]}, images) == []
    finer = {A: 30.25, B: 30.125}
    assert ids(filtered({"since": ["b:1"]}, images, finer)) == [A]
    assert ids(filtered({"before": ["a:1"]}, images, finer)) == [B, C]


@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.booleans(), st.booleans(), st.integers(0, 2)),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_intermediate_images_are_left_out_as_on_one_engine(shape):
    """Each image is on one engine, and is built on an earlier image or on none."""
    made = [
        image(f"sha256:{n:064x}", *(["t:1"] if tag else []), digests=["t@sha256:d"] * digest,
              ParentId=f"sha256:{parent:064x}" if parent < n else "")
        for n, (parent, tag, digest, _) in enumerate(shape)
    ]  # fmt: skip
    merged = merge_images([[each for each, (*_, on) in zip(made, shape, strict=True) if on == n]
                           for n in range(3)])  # fmt: skip
    parents = {each["ParentId"] for each in made}
    left = ids(without_intermediates(merged, parents))
    ends = ids(without_intermediates(merged, parents, with_digests=True))
    for each in made:
        is_built_on = any(other["ParentId"] == each["Id"] for other in made)
        is_named = bool(each["RepoTags"] or each["RepoDigests"])
        assert (each["Id"] in left) == (is_named or not is_built_on)
        assert (each["Id"] in ends) == (bool(each["RepoTags"]) or not is_built_on)


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        ({"colour": ["red"]}, BadRequest, "invalid filter 'colour'"),
        ({"dangling": ["perhaps"]}, BadRequest, "invalid filter 'dangling=\\[perhaps\\]'"),
        ({"label!": ["v"]}, BadRequest, "invalid filter 'label!'"),
        ({"dangling": []}, BadRequest, "invalid filter 'dangling'"),
        ({"before": ["ghost"]}, NotFound, "No such image: ghost:latest"),
        ({"since": ["GHOST"]}, BadRequest, "invalid reference format"),
        ({"until": ["then"]}, BadValue, 'failed to parse value as time or duration: "then"'),
        ({"reference": ["["]}, BadValue, "syntax error in pattern"),
    ],
    ids=str,
)
def test_an_invalid_filter_is_refused(filters, error, message):
    with pytest.raises(error, match=message):
        filtered(filters)


def test_old_clients_get_placeholders_and_virtual_sizes():
    old, new = (show_images([IMAGES[2]], ApiVersion(1, minor))[0] for minor in (41, 44))
    assert (old["RepoTags"], old["RepoDigests"]) == (["<none>:<none>"], ["<none>@<none>"])
    assert old["VirtualSize"] == 5
    assert (new["RepoTags"], "VirtualSize" in new) == ([], False)


def test_the_count_equals_the_list_without_all():
    parent = image(C, created=1)
    lists = [
        [image(A, "tool:1", ParentId=C), parent],
        [image(A, "tool:1", ParentId=C), image(B, "<none>:<none>"), parent],
    ]
    shown = without_intermediates(merge_images(lists), {C, "None"})
    assert count_listed(lists) == len(shown) == 2
