"""What a decision after a change costs: how many rules are checked, and how many nodes weighed."""

from dataclasses import dataclass, field

import pytest

from swarmcore.errors import NoNodeFits
from swarmcore.model import Drain, MiB
from swarmcore.node import ALL_ASPECTS, Aspect
from swarmcore.protocols import Rule
from swarmcore.scheduler import PlacementFailed, Scheduler
from swarmcore.scheduler.kept import Recent
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node, a_reservation

NODES = 1000


@dataclass
class Counting:
    """A filter of two hard rules and a soft one, and a strategy; counts what it is asked."""

    name: str = "counting"
    is_keyed: bool = True
    reads: frozenset = ALL_ASPECTS
    checked: list = field(default_factory=list)
    weighed: list = field(default_factory=list)

    def rules(self, config):
        for text, test in (("label", _has_zone), ("few", _has_few), ("soft", _has_few)):
            yield Rule(
                text,
                self._counted(test),
                soft=text == "soft",
                key=(text, config.labels.get("asked", "")) if self.is_keyed else None,
                reads=self.reads,
            )

    def _counted(self, test):
        def check(node):
            self.checked.append(node)
            return None if test(node) else "why not"

        return check

    def weigh(self, config, node):
        self.weighed.append(node)
        return (-node.container_count,)


class KeyedCounting(Counting):
    def key(self, config):
        return config.labels.get("asked", "")


def _has_zone(node):
    return "zone" in node.labels


def _has_few(node):
    return node.container_count < 3


def make(count=NODES, **options):
    counting = (KeyedCounting if options.get("is_keyed", True) else Counting)(**options)
    nodes = [a_node(f"n{number:04}", labels={"zone": "a"}) for number in range(count)]
    return counting, Scheduler(counting, [counting]), tuple(nodes)


def cost(counting, decide):
    counting.checked.clear()
    counting.weighed.clear()
    decide()
    return len(counting.checked), len(counting.weighed)


def change_one(nodes):
    nodes[7].put_container(a_container("web"))


def test_after_a_change_of_one_node_only_that_node_is_checked_and_weighed():
    counting, scheduler, nodes = make()
    a_decision(scheduler, a_config(), nodes)
    change_one(nodes)
    assert cost(counting, lambda: a_decision(scheduler, a_config(), nodes)) == (3, 1)


def test_without_keys_every_node_is_checked_and_weighed():
    counting, scheduler, nodes = make(is_keyed=False)
    a_decision(scheduler, a_config(), nodes)
    change_one(nodes)
    found = cost(counting, lambda: a_decision(scheduler, a_config(), nodes))
    assert found == (3 * NODES, NODES)


def test_a_change_that_a_rule_does_not_read_costs_nothing():
    counting, scheduler, nodes = make(reads=frozenset({Aspect.MACHINE}))
    a_decision(scheduler, a_config(), nodes)
    change_one(nodes)
    assert cost(counting, lambda: a_decision(scheduler, a_config(), nodes)) == (0, 0)


def test_a_decision_on_some_of_the_nodes_uses_what_is_kept_for_all():
    counting, scheduler, nodes = make()
    a_decision(scheduler, a_config(), nodes)
    some = [nodes[3], nodes[7], nodes[500]]
    assert cost(counting, lambda: a_decision(scheduler, a_config(), some)) == (0, 0)
    assert cost(counting, lambda: a_decision(scheduler, a_config(), nodes)) == (0, 0)


def test_no_node_is_checked_that_an_earlier_rule_refused():
    counting, scheduler, nodes = make()
    for node in nodes[:-1]:
        node.drained = Drain("update")
    checks = cost(counting, lambda: a_decision(scheduler, a_config(), nodes))
    assert checks == (3, 1)
    nodes[0].drained = None
    assert cost(counting, lambda: a_decision(scheduler, a_config(), nodes)) == (3, 1)


def test_new_keys_cost_as_much_as_no_keys():
    """Clients that ask for something else in every create gain nothing and lose nothing."""
    counting, scheduler, nodes = make(count=20)
    for number in range(600):
        config = a_config(labels={"asked": str(number)})
        assert cost(counting, lambda config=config: a_decision(scheduler, config, nodes)) == (
            3 * 20,
            20,
        )


def test_the_number_of_kept_values_is_limited():
    recent = Recent(2)
    made = []

    def get(key):
        return recent.get(key, lambda: made.append(key) or key)

    for key in "abacab":
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]
    assert len(recent) == 2


def test_a_large_key_is_not_kept():
    counting, scheduler, nodes = make(count=20)
    for _ in range(2):
        config = a_config(labels={"asked": "x" * 10_000})
        checks, _ = cost(counting, lambda config=config: a_decision(scheduler, config, nodes))
        assert checks == 3 * 20


def test_only_the_first_candidates_are_made():
    scheduler = Scheduler(KeyedCounting(), [])
    nodes = tuple(a_node(f"n{number:04}") for number in range(NODES))
    candidates = a_decision(scheduler, a_config(), nodes).candidates
    assert [each.node.name for each in candidates[:3]] == ["n0000", "n0001", "n0002"]
    assert len(candidates) == NODES
    assert len(candidates._made) == 3
    assert [each.node for each in candidates] == list(nodes)


def test_a_decision_does_not_change_after_it_was_made():
    counting, scheduler, nodes = make(count=4)
    nodes[2].labels = {}
    before = a_decision(scheduler, a_config(), nodes)
    expected = [(each.node.name, each.weight) for each in before.candidates]
    fresh = a_decision(scheduler, a_config(), nodes)
    for node in nodes:
        node.labels = {} if node.labels else {"zone": "b"}
        node.reserve(a_reservation(f"for {node.name}"))
    a_decision(scheduler, a_config(), nodes)
    assert [(each.node.name, each.weight) for each in fresh.candidates] == expected
    assert [(node.name, rule.text) for node, rule, _ in fresh.refusals] == [("n0002", "label")]
    assert counting.checked


def test_reasons_of_kept_refusals_are_those_of_now():
    counting, scheduler, nodes = make(count=3)
    nodes[1].labels = {}
    for _ in range(2):
        decision = a_decision(scheduler, a_config(), nodes)
        assert [(node.name, why) for node, _, why in decision.refusals] == [("n0001", "why not")]
    counting.checked.clear()
    room = a_config(memory=9 * 1024 * MiB)
    with pytest.raises(NoNodeFits, match=r"most free 8 GiB on n0000.*, 1 label why not"):
        a_decision(scheduler, room, nodes)


def test_left_nodes_are_forgotten():
    _, scheduler, nodes = make(count=3)
    a_decision(scheduler, a_config(), nodes)
    scheduler.follow(nodes[:2])
    assert nodes[2]._logs == ()
    assert all(len(node._logs) == 1 for node in nodes[:2])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("odd", lambda _: None, key=["a list"]), "odd has an invalid key: TypeError"),
        (Rule("odd", lambda _: None, key="k", reads=("ports",)), "not all aspects"),
    ],
)
def test_an_invalid_key_is_reported_with_the_filter(rule, message):
    class Odd:
        name = "odd"

        def rules(self, config):
            return [rule]

    scheduler = Scheduler(Counting(), [Odd()])
    with pytest.raises(PlacementFailed, match=f"filter odd.*{message}"):
        a_decision(scheduler, a_config(), [a_node()])


def test_weights_of_different_lengths_are_weighed_again():
    class Odd(KeyedCounting):
        def weigh(self, config, node):
            return (0.0,) * (1 + len(node.containers))

    scheduler, nodes = Scheduler(Odd(), []), (a_node("n1"), a_node("n2"))
    a_decision(scheduler, a_config(), nodes)
    nodes[0].put_container(a_container("web"))
    with pytest.raises(PlacementFailed, match=r"n2 as \(0.0,\) and n1 as .* of one length"):
        a_decision(scheduler, a_config(), nodes)
    nodes[1].put_container(a_container("db"))
    assert a_decision(scheduler, a_config(), nodes).candidates[1].weight == (0.0, 0.0)
