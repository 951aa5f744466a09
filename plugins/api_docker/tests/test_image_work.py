"""The decisions about images: who holds them, who is too old, what several reports add up to."""

import pytest
import trio
from swarmcore_api_docker.image_holders import (
    agreed_holder,
    choose_pusher,
    find_common_holders,
    find_holders,
)
from swarmcore_api_docker.prunes import build_query
from swarmcore_api_docker.usage_reports import asked_types, merge_usage
from swarmcore_api_docker.version_gates import able_engines, require_able

from swarmcore.errors import BadRequest, NotFound
from swarmcore.messages import Query
from swarmcore.model import State
from swarmcore.versions import ApiVersion

A, B = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.fixture
def engine(docker):
    def engine(name, tags, version=(1, 41), **changes):
        images = {id: {"Id": id, "RepoTags": names} for id, names in tags.items()}
        node = docker.node(name, images=images, api_version=ApiVersion(*version), **changes)
        return docker.Engine(node)

    return engine


def names(engines):
    return [engine.node.name for engine in engines]


def test_holders_are_the_engines_that_answer_and_have_it(docker, engine):
    cluster = docker.Cluster(
        engine("n1", {A: ["app:1"]}),
        engine("n2", {}),
        engine("n3", {B: ["app:1"]}),
        engine("n4", {A: ["app:1"]}, state=State.UNHEALTHY),
    )
    assert names(find_holders(cluster, "app:1")) == ["n1", "n3"]
    with pytest.raises(NotFound, match="No such image: app:2"):
        find_holders(cluster, "app:2")
    assert names(find_holders(cluster, "BAD")) == ["n1"]


def test_the_image_that_most_agree_on_is_asked_for(engine):
    holders = [engine("n1", {A: ["a:1"]}), engine("n2", {B: ["a:1"]}), engine("n3", {B: ["a:1"]})]
    assert agreed_holder(holders, "a:1").node.name == "n2"


def test_images_are_saved_together_where_they_are_together(docker, engine):
    cluster = docker.Cluster(engine("n1", {A: ["a:1"]}), engine("n2", {A: ["a:1"], B: ["b:1"]}))
    assert names(trio.run(find_common_holders, cluster, ["a:1", "b:1"])) == ["n2"]


@pytest.mark.parametrize(
    ("name", "query", "pusher"),
    [
        ("host:5000/app", {}, "n2"),
        ("host:5000/app", {"tag": "1"}, "n1"),
        ("host:5000/app", {"tag": "2"}, "n2"),
        ("host:5000/none", {}, "n0"),
        ("host:5000/app", {"tag": "3"}, "n0"),
    ],
    ids=str,
)
def test_a_push_is_from_where_the_tag_is_or_most_tags_are(docker, engine, name, query, pusher):
    cluster = docker.Cluster(
        engine("n0", {}),
        engine("n1", {A: ["host:5000/app:1", "application:1"]}),
        engine("n2", {A: ["host:5000/app:1", "host:5000/app:2"]}),
    )
    assert choose_pusher(cluster, name, Query(query.items())).node.name == pusher


@pytest.mark.parametrize(
    ("work", "query", "able"),
    [
        ("push", {}, ["old", "new"]),
        ("push", {"platform": "x"}, ["new"]),
        ("save", {"platform": "x"}, ["new"]),
        ("delete", {"platforms": "x"}, ["new"]),
    ],
    ids=lambda value: str(value),
)
def test_an_engine_that_would_ignore_a_parameter_is_not_asked(engine, work, query, able):
    engines = [engine("old", {}), engine("new", {}, (1, 51))]
    assert names(able_engines(engines, work, Query(query.items()))) == able


def test_work_on_all_holders_is_refused_when_one_would_ignore_a_parameter(engine):
    engines = [engine("old", {}), engine("new", {}, (1, 51))]
    with pytest.raises(
        BadRequest, match=r'"platforms" requires API version 1\.50, which old lacks'
    ):
        require_able(engines, "delete", Query({"platforms": "x"}.items()))


@pytest.mark.parametrize(
    ("version", "sent", "got"),
    [
        ((1, 51), {"reserved-space": "9"}, {"reserved-space": "9"}),
        ((1, 47), {"reserved-space": "9"}, {"keep-storage": "9"}),
        ((1, 47), {"all": "1"}, {"all": "1"}),
    ],
    ids=str,
)
def test_a_prune_is_worded_for_the_engines_version(engine, version, sent, got):
    assert build_query(engine("n1", {}, version), Query(sent.items())) == Query(got.items())


def test_a_limit_that_an_engine_does_not_know_is_refused(engine):
    with pytest.raises(BadRequest, match=r'"max-used-space" requires API version 1\.48'):
        build_query(engine("n1", {}), Query({"max-used-space": "9"}.items()))


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


def test_a_type_of_disk_usage_is_heeded_since_there_are_types():
    assert asked_types(["image", "nothing"], ApiVersion(1, 41)) == []
    assert asked_types(["image", "volume"], ApiVersion(1, 42)) == ["image", "volume"]
    with pytest.raises(BadRequest, match=r"^unknown object type: nothing$"):
        asked_types(["image", "nothing"], ApiVersion(1, 42))


def test_disk_usage_in_the_new_shape_keeps_it():
    usage = {"ActiveCount": 1, "TotalCount": 2, "Reclaimable": 3, "TotalSize": 4}
    reports = [{"ImageUsage": usage}, {"ImageUsage": {**usage, "Items": [{"Id": A}]}}]
    merged = merge_usage(reports, ApiVersion(1, 52))
    assert merged == {"ImageUsage": {
        "ActiveCount": 2, "TotalCount": 4, "Reclaimable": 6, "TotalSize": 8, "Items": [{"Id": A}],
    }}  # fmt: skip


def test_both_shapes_at_once_keep_both():
    usage = {"ActiveCount": 1, "TotalCount": 2, "Reclaimable": 3, "TotalSize": 4}
    merged = merge_usage([{**OLD, "VolumeUsage": usage}], ApiVersion(1, 52))
    assert merged["LayersSize"] == 5
    assert merged["VolumeUsage"] == usage
