"""Which engines have an image, and which of them is asked."""

import pytest
import trio
from swarmcore_api_docker.images.holders import (
    agreed_holder,
    choose_pusher,
    find_common_holders,
    find_holders,
)

from swarmcore.errors import NotFound
from swarmcore.http.messages import Query
from swarmcore.model import State

A, B = (f"sha256:{letter * 64}" for letter in "ab")


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
