"""Which nodes count as healthy."""

import pytest
from swarmcore_filter_health import HealthFilter

from swarmcore.model import State
from swarmcore.testing.builders import a_config, a_node


def refusal(node):
    (rule,) = HealthFilter().rules(a_config())
    return rule.check(node)


@pytest.mark.parametrize("state", [State.PENDING, State.UNHEALTHY, State.DISCONNECTED])
def test_a_node_that_is_not_healthy_is_refused(state):
    assert refusal(a_node(state=state)) is not None


def test_a_healthy_node_passes_even_after_a_failure():
    node = a_node()
    node.failures = 1
    assert refusal(node) is None


def test_a_node_at_its_limit_of_failures_is_refused():
    node = a_node()
    node.failures = node.failure_limit
    assert refusal(node) is not None
