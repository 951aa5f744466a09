"""What an expression means for what a node holds."""

import pytest
from swarmcore_filter_affinity import AffinityFilter

from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation


def holds(expression, node):
    (rule,) = AffinityFilter().rules(a_config(env=[f"affinity:{expression}"]))
    return rule.check(node) is None


DB = a_container("db", labels={"role": "store"})
NODE = a_node(containers=[DB], images=["busybox:latest"])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("container==db", True),
        ("container==d*", True),
        ("container!=db", False),
        ("container==web", False),
        (f"container=={DB.id}", True),
        (f"container=={DB.id[:12]}", True),
        ("image==busybox", True),
        ("image==busybox:latest", True),
        ("image==busybox:1", False),
        ("image!=alpine", True),
        ("role==store", True),
        ("role==/^st/", True),
        ("role!=store", False),
    ],
)
def test_expressions(expression, expected):
    assert holds(expression, NODE) is expected


def test_a_node_without_containers_has_nothing_to_be_near_to():
    assert not holds("role==store", a_node())
    assert holds("role!=store", a_node())


def test_a_placement_under_way_counts():
    node = a_node()
    node.reserve(a_reservation("web", labels={"role": "front"}))
    assert holds("container==web", node)
    assert holds("role==front", node)


def test_a_tilde_makes_a_wish_of_it():
    (rule,) = AffinityFilter().rules(a_config(env=["affinity:container!=~db"]))
    assert rule.soft
