"""Which nodes an affinity allows, by the containers and images on them."""

import pytest
from swarmcore_filter_affinity import AffinityFilter

from swarmcore.container_config import SWARM_ID
from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation, an_id


def holds(expression, node):
    (rule,) = AffinityFilter().rules(a_config(env=[f"affinity:{expression}"]))
    return rule.check(node) is None


SWARM_ID_OF_DB = an_id("db's swarm id")
DB = a_container("db", labels={"role": "store", SWARM_ID: SWARM_ID_OF_DB}, links=["web/store"])
NODE = a_node(containers=[DB], images=["busybox:latest"])
IMAGE = next(iter(NODE.images))
DIGEST = f"sha256:{an_id('a manifest')}"
NODE.images = {**NODE.images, f"sha256:{an_id('app')}": {"RepoDigests": [f"app@{DIGEST}"]}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("container==db", True),
        ("container==d*", True),
        ("container!=db", False),
        ("container==web", False),
        (f"container=={DB.id}", True),
        (f"container=={DB.id[:12]}", True),
        (f"container=={SWARM_ID_OF_DB}", True),
        (f"container=={SWARM_ID_OF_DB[:12]}", True),
        ("container==web/store", True),
        ("container==/(?i)^DB$/", True),
        ("image==busybox", True),
        ("image==busybox:latest", True),
        ("image==busybox:1", False),
        ("image==busy*", True),
        ("image==~busybox", True),
        (f"image=={IMAGE}", True),
        (f"image=={IMAGE.removeprefix('sha256:')}", True),
        (f"image=={IMAGE.removeprefix('sha256:')[:12]}", True),
        (f"image=={IMAGE}0", False),
        (f"image==app@{DIGEST}", True),
        (f"image!=app@{DIGEST}", False),
        ("image==app", True),
        ("image!=alpine", True),
        ("role==store", True),
        ("role==/^st/", True),
        ("role!=store", False),
    ],
)
def test_expressions(expression, expected):
    assert holds(expression, NODE) is expected


def test_a_node_without_containers_fulfils_no_affinity():
    assert not holds("role==store", a_node())
    assert holds("role!=store", a_node())


def test_a_reservation_counts():
    node = a_node()
    node.reserve(a_reservation("web", labels={"role": "front"}))
    assert holds("container==web", node)
    assert holds("role==front", node)


def test_a_tilde_makes_an_expression_soft():
    (rule,) = AffinityFilter().rules(a_config(env=["affinity:container!=~db"]))
    assert rule.soft
