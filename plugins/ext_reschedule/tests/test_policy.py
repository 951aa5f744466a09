"""Which containers are moved, and the options."""

from random import Random

import pytest
from swarmcore_ext_reschedule.policy import (
    Settings,
    is_lost,
    is_to_be_emptied,
    may_be_moved,
    pause_seconds,
    read_settings,
    seconds_to_stay,
)

from swarmcore.errors import ConfigError
from swarmcore.model import Drain, NodeSettings, State
from swarmcore.testing.builders import a_container, a_node

POLICIES = "com.docker.swarm.reschedule-policies"


@pytest.mark.parametrize(
    ("label", "moved"),
    [
        ('["on-node-failure"]', True),
        ('["off"]', False),
        ("", False),
        ("on-node-failure", False),
        ('{"on-node-failure": 1}', False),
        ("[", False),
    ],
)
def test_only_containers_with_the_policy_are_moved(label, moved):
    assert may_be_moved(a_container(labels={POLICIES: label})) is moved


def test_a_container_without_labels_stays():
    assert not may_be_moved(a_container())


@pytest.mark.parametrize("state", State)
def test_a_node_is_lost_only_if_it_was_healthy(state):
    node = a_node("n1")
    node.state = state
    assert is_lost(node) is (state is State.UNHEALTHY)


def test_a_drained_node_is_emptied_only_if_its_operator_asked_for_that():
    node = a_node("n1")
    assert not is_to_be_emptied(node)
    node.apply(NodeSettings(Drain("why")))
    assert not is_to_be_emptied(node)
    node.apply(NodeSettings(Drain("why", moves=True)))
    assert is_to_be_emptied(node)
    node.state = State.UNHEALTHY
    assert not is_to_be_emptied(node)


@pytest.mark.parametrize(
    ("label", "departed", "seconds"),
    [('["on-node-failure"]', 600, 600), ('["on-node-failure"]', 0, 0), ('["off"]', 600, 0)],
)
def test_a_departed_engine_is_needed_for_its_containers_if_that_is_asked_for(
    label, departed, seconds
):
    node = a_node("n1")
    node.put_container(a_container("db"))
    node.put_container(a_container("web", labels={POLICIES: label}))
    assert seconds_to_stay(node, Settings(departed_seconds=departed)) == seconds


def test_pauses_double_up_to_five_minutes():
    pauses = [pause_seconds(attempts, Random(1)) for attempts in (1, 2, 3, 4, 7, 100)]
    for pause, longest in zip(pauses, (5, 10, 20, 40, 300, 300), strict=True):
        assert 0.75 * longest <= pause <= longest


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, Settings(60, 8)),
        ({"swarm.reschedule.after": "90"}, Settings(90, 8)),
        ({"swarm.reschedule.after": "1m30s"}, Settings(90, 8)),
        ({"swarm.reschedule.after": "0"}, Settings(0, 8)),
        ({"swarm.reschedule.parallel": "2"}, Settings(60, 2)),
        ({"swarm.reschedule.departed": "10m"}, Settings(60, 8, 600)),
    ],
)
def test_options_are_read(options, settings):
    assert read_settings(options) == settings


@pytest.mark.parametrize(
    "options",
    [
        {"swarm.reschedule.after": "soon"},
        {"swarm.reschedule.after": "-1s"},
        {"swarm.reschedule.after": ""},
        {"swarm.reschedule.departed": "yes"},
        {"swarm.reschedule.parallel": "0"},
        {"swarm.reschedule.parallel": "many"},
        {"swarm.reschedule.parallel": "101"},
    ],
)
def test_a_malformed_option_is_named(options):
    ((key, value),) = options.items()
    with pytest.raises(ConfigError, match=f"{key}={value}: use a"):
        read_settings(options)
