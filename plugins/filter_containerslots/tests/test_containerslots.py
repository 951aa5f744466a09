"""When all slots of an engine are taken."""

import pytest
from swarmcore_filter_containerslots import ContainerSlotsFilter

from swarmcore.container_config import ContainerConfig
from swarmcore.testing.builders import a_config, a_container, a_node, a_reservation


def refusal(label, **more):
    (rule,) = ContainerSlotsFilter().rules(a_config())
    return rule.check(a_node(labels={"containerslots": label}, **more))


@pytest.mark.parametrize(
    ("label", "containers", "has_room"),
    [
        ("1", 0, True),
        ("1", 1, False),
        ("1", 2, False),
        ("3", 2, True),
        ("+3", 2, True),
        ("0", 0, False),
        ("-1", 0, False),
        ("", 9, True),
        ("many", 9, True),
        ("3.5", 9, True),
        (" 1", 9, True),
        ("1_0", 11, True),
        ("\u0663", 9, True),
        ("9" * 5000, 9, True),
    ],
    ids=lambda value: str(value)[:9],
)
def test_a_whole_number_limits_and_nothing_else_does(label, containers, has_room):
    refused = refusal(label, containers=[f"c{number}" for number in range(containers)])
    assert (refused is None) is has_room


def test_a_node_without_the_label_has_no_limit():
    (rule,) = ContainerSlotsFilter().rules(a_config())
    assert rule.check(a_node(containers=["a", "b", "c"])) is None


@pytest.mark.parametrize("state", ["created", "exited", "paused", "dead"])
def test_a_container_in_any_state_takes_a_slot(state):
    assert refusal("1", containers=[a_container("old", state=state)]) == "1 of 1 taken"


def test_a_network_or_volume_that_is_being_made_takes_no_slot():
    assert refusal("1", reservations=[a_reservation("", image="")]) is None


def test_a_reservation_takes_a_slot():
    more = {"containers": ["web"], "reservations": [a_reservation("coming")]}
    assert refusal("2", **more) == "2 of 2 taken"
    assert refusal("3", **more) is None


def test_an_object_that_is_not_a_container_takes_no_slot():
    assert list(ContainerSlotsFilter().rules(ContainerConfig.parse({}))) == []
