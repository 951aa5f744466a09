"""An earlier decision with fewer candidates, and refusals of several decisions."""

import pytest

from swarmcore.errors import NeverFits
from swarmcore.model import GiB
from swarmcore.protocols import Rule
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node


class FewestContainers:
    name = "fewest"

    def weigh(self, config, node):
        return (-float(node.container_count),)


class Near:
    """A strategy that prefers some nodes by name."""

    name = "near"

    def __init__(self, *names):
        self._names = names

    def rules(self, config):
        yield Rule("near", lambda node: None if node.name in self._names else "is far", soft=True)


@pytest.fixture
def nodes():
    return [a_node(f"n{number}", memory=8 * GiB) for number in (1, 2, 3)]


def names(decision):
    return [each.node.name for each in decision.candidates]


def test_the_ranking_stays(nodes):
    scheduler = Scheduler(FewestContainers(), [])
    decision = a_decision(scheduler, a_config(), nodes)
    assert names(decision) == ["n1", "n2", "n3"]
    assert names(scheduler.narrow(decision, a_config(), nodes[1:])) == ["n2", "n3"]
    assert scheduler.narrow(decision, a_config(), [a_node("n4")]) is None


def test_a_candidate_that_is_full_by_now_is_dropped(nodes):
    scheduler, config = Scheduler(FewestContainers(), []), a_config(memory=8 * GiB)
    decision = a_decision(scheduler, config, nodes)
    nodes[1].put_container(a_container("old", memory=GiB))
    assert scheduler.narrow(decision, config, nodes[1:]) is None


def test_the_dropped_rules_are_those_of_the_new_choice(nodes):
    scheduler = Scheduler(FewestContainers(), [Near("n1", "n3")])
    decision = a_decision(scheduler, a_config(), nodes)
    assert (names(decision), decision.dropped) == (["n1", "n3", "n2"], [])
    assert scheduler.narrow(decision, a_config(), nodes[1:2]).dropped == ["near"]


@pytest.mark.parametrize(("images", "is_possible"), [(["app"], True), ([], False)])
def test_with_image_locality_the_next_candidate_must_have_the_image(images, is_possible):
    scheduler = Scheduler(FewestContainers(), [], carry=1.0)
    nodes = [a_node("n1", images=["app"]), a_node("n2", images=images)]
    decision = a_decision(scheduler, a_config("app"), nodes)
    narrowed = scheduler.narrow(decision, a_config("app"), nodes[1:])
    assert (narrowed is not None) is is_possible


def test_a_refusal_of_several_decisions_is_worded_as_that_of_one(nodes):
    scheduler, config = Scheduler(FewestContainers(), []), a_config(memory=9 * GiB)
    whole = scheduler.decide(config, nodes)
    parts = [scheduler.decide(config, nodes[:1]), scheduler.decide(config, nodes[1:])]
    refusals = [each for part in parts for each in part.refusals]
    error = scheduler.refuse(config, nodes, refusals)
    assert isinstance(error, NeverFits)
    assert (str(error), error.refusals) == (str(whole.error), whole.error.refusals)
