"""Where a container goes, which soft rules are dropped, and the texts of refusals."""

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.errors import BadRequest, NoNodeFits
from swarmcore.model import MiB, State
from swarmcore.node import Reservation
from swarmcore.protocols import Rule
from swarmcore.scheduler import PlacementFailed, Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node

GIB = 1024 * MiB


@dataclass
class FewestContainers:
    name: str = "fewest"

    def weigh(self, config, node):
        return (-node.container_count,)


@dataclass
class Returning:
    """A strategy or a filter that returns a given value, or raises it."""

    answer: object
    name: str = "odd"

    def weigh(self, config, node):
        return self._give()

    def rules(self, config):
        return self._give()

    def _give(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Only:
    """A filter whose rules each accept some nodes; a text with ``~`` is a soft rule."""

    wanted: dict = field(default_factory=dict)
    name: str = "only"

    def rules(self, config):
        return [_rule(text, names) for text, names in self.wanted.items()]


def _rule(text, names):
    return Rule(text, lambda node: None if node.name in names else "", soft="~" in text)


def place(nodes, *filters, config=None, strategy=None):
    scheduler = Scheduler(strategy or FewestContainers(), filters)
    return a_decision(scheduler, config or a_config(), nodes)


def refusal(nodes, *filters, config=None):
    with pytest.raises(NoNodeFits) as raised:
        place(nodes, *filters, config=config)
    return raised.value


def three(**more):
    return [a_node(f"n{number}", **more) for number in (1, 2, 3)]


# ---- choosing


def test_the_heaviest_node_is_chosen_and_the_others_are_ranked():
    nodes = [
        a_node("n1", containers=["a", "b"]),
        a_node("n2"),
        a_node("n3", containers=["c"]),
    ]
    decision = place(nodes)
    assert decision.node is nodes[1]
    assert [each.node.name for each in decision.candidates] == ["n2", "n3", "n1"]
    assert [each.weight for each in decision.candidates] == [(0,), (-1,), (-2,)]


def test_among_equal_nodes_the_first_by_name_is_chosen():
    assert place(reversed(three())).node.name == "n1"


def test_a_rule_removes_nodes_and_its_reasons_are_kept():
    decision = place(three(), Only({"zone": ["n2"]}))
    assert decision.node.name == "n2"
    assert [(node.name, rule.text) for node, rule, _ in decision.refusals] == [
        ("n1", "zone"),
        ("n3", "zone"),
    ]


def test_a_drained_node_takes_nothing():
    nodes = [a_node("n1", drained="kernel upgrade"), a_node("n2"), a_node("n3")]
    assert place(nodes).node.name == "n2"


def test_weights_are_compared_item_by_item():
    class TwoItems:
        name = "two"

        def weigh(self, config, node):
            return (1, 2) if node.name == "n2" else (1, 1.5)

    assert place(three(), strategy=TwoItems()).node.name == "n2"


# ---- wishes


@pytest.mark.parametrize(
    ("wishes", "chosen", "dropped"),
    [
        ({"~a": ["n2", "n3"], "~b": ["n3"]}, "n3", []),
        ({"~a": ["n2"], "~b": ["n3"]}, "n2", ["~b"]),
        ({"~a": ["n3"], "~b": ["n2"], "~c": ["n2"]}, "n2", ["~a"]),
        ({"~a": [], "~b": ["n2"]}, "n2", ["~a"]),
        ({"~a": [], "~b": []}, "n1", ["~a", "~b"]),
        ({"~a": ["n1"], "hard": ["n2", "n3"]}, "n2", ["~a"]),
    ],
    ids=str,
)
def test_as_few_soft_rules_as_possible_are_dropped_the_last_first(wishes, chosen, dropped):
    decision = place(three(), Only(wishes))
    assert (decision.node.name, list(decision.dropped)) == (chosen, dropped)


def test_a_soft_rule_outweighs_the_strategy_but_not_resources():
    nodes = [a_node("full", memory=GIB, containers=[a_container("a", memory=GIB)]), a_node("free")]
    decision = place(nodes, Only({"~near": ["full"]}), config=a_config(memory=1))
    assert (decision.node.name, list(decision.dropped)) == ("free", ["~near"])


# ---- refusing


def test_a_cluster_without_nodes_says_so_as_classic_did():
    assert str(refusal([])) == "No healthy node available in the cluster"


def test_a_cluster_without_healthy_nodes_says_so_too():
    nodes = three(state=State.UNHEALTHY)
    error = refusal(nodes, Only({"unhealthy": []}))
    assert str(error) == ("No healthy node available in the cluster: 0 of 3 nodes: 3 unhealthy")


def test_a_refusal_counts_per_rule_and_shows_free_amounts():
    nodes = [
        a_node("n1", memory=GIB),
        a_node("n2", memory=2 * GIB, containers=[a_container("a", memory=GIB // 2)]),
        a_node("n3", drained="maintenance"),
        a_node("n4", memory=GIB),
        *(a_node(f"x{number}") for number in range(4)),
    ]
    error = refusal(
        nodes, Only({"zone==b": ["n1", "n2", "n3", "n4"]}), config=a_config(memory=2 * GIB)
    )
    assert str(error) == (
        "no node fits: 0 of 8 nodes: 4 zone==b,"
        " 3 memory (needs 2 GiB, most free 1.5 GiB on n2), 1 drained (maintenance)"
    )
    assert error.refusals["n1"] == "memory needs 2 GiB, 1 GiB free"
    assert set(error.refusals) == {node.name for node in nodes}
    assert error.status == 503


def test_cpus_are_worded_alike():
    error = refusal([a_node("n1", cpus=2)], config=a_config(cpus=2.5))
    assert "1 cpu (needs 2.5 CPUs, most free 2 CPUs on n1)" in str(error)


def test_overcommit_does_not_raise_the_limit_of_one_container():
    node = a_node("n1", cpus=20, overcommit=0.05)
    place([node], config=a_config(cpus=20))
    refusal([node], config=a_config(cpus=20.5))


def test_containers_without_claims_fit_on_overcommitted_nodes():
    overfull = a_node("n1", memory=GIB, containers=[a_container("a", memory=2 * GIB, cpus=9)])
    assert place([overfull]).node is overfull


# ---- plugins that break

OOPS = ValueError("oops")


@pytest.mark.parametrize(
    "answer", [OOPS, None, 1, "12", [], (math.nan,), (math.inf,), ("x",), [None]], ids=repr
)
def test_a_strategy_that_breaks_is_named_and_the_next_create_works(answer):
    strategy = Returning(answer)
    with pytest.raises(PlacementFailed, match="strategy odd") as raised:
        place(three(), strategy=strategy)
    assert raised.value.status == 500
    strategy.answer = (1.0,)
    assert place(three(), strategy=strategy).node.name == "n1"


@dataclass
class Uneven:
    name: str = "uneven"

    def weigh(self, config, node):
        return (1.0,) if node.name == "n1" else (1.0, 2.0)


def test_a_strategy_whose_weights_differ_in_length_is_named():
    with pytest.raises(PlacementFailed, match="strategy uneven weighed n1 as"):
        place(three(), strategy=Uneven())
    assert place([a_node("n1")], strategy=Uneven()).node.name == "n1"


@pytest.mark.parametrize(
    "answer",
    [
        OOPS,
        None,
        [None],
        ["text"],
        [Rule("r", lambda node: 1 / 0)],
        [Rule("r", lambda node: False)],
        [Rule("r", lambda node: 1, soft=True)],
    ],
    ids=["raises", "none", "no rule", "text", "check raises", "check lies", "soft check lies"],
)
def test_a_filter_that_breaks_is_named_and_the_next_create_works(answer):
    broken = Returning(answer)
    with pytest.raises(PlacementFailed, match="filter odd"):
        place(three(), broken)
    broken.answer = []
    assert place(three(), broken).node.name == "n1"


def test_a_bad_request_of_a_filter_is_the_clients():
    with pytest.raises(BadRequest, match="expression"):
        place(three(), Returning(BadRequest("expression 'x'")))


def test_a_summary_that_breaks_does_not_hide_the_refusal():
    def summarise(text, refused):
        raise OOPS

    rule = Rule("rule", lambda node: "no", summarise=summarise)
    assert str(refusal(three(), Returning([rule]))) == "no node fits: 0 of 3 nodes: 3 rule"


# ---- whatever the cluster looks like

NAMES = [f"n{number}" for number in range(5)]
SUBSETS = st.lists(st.sampled_from(NAMES))
RULES = st.dictionaries(st.sampled_from(["a", "b", "~c", "~d", "~e"]), SUBSETS)


@given(st.lists(st.sampled_from(NAMES), unique=True), RULES)
def test_a_chosen_node_passes_every_hard_rule(names, rules):
    nodes = [a_node(name) for name in names]
    hard = [names for text, names in rules.items() if "~" not in text]
    fitting = [node for node in nodes if all(node.name in names for names in hard)]
    if not fitting:
        refusal(nodes, Only(rules))
        return
    decision = place(nodes, Only(rules))
    assert {each.node.name for each in decision.candidates} == {node.name for node in fitting}
    assert decision.node in fitting
    kept = sum(decision.node.name in names for text, names in rules.items() if "~" in text)
    for node in fitting:
        assert kept >= sum(node.name in names for text, names in rules.items() if "~" in text)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_reservations_never_exceed_what_a_node_has(claims):
    nodes = [a_node("n1", cpus=4, memory=8), a_node("n2", cpus=2, memory=16)]
    scheduler = Scheduler(FewestContainers(), [])
    for number, (cpus, memory) in enumerate(claims):
        config = a_config(name=f"c{number}", cpus=cpus, memory=memory)
        try:
            node = a_decision(scheduler, config, nodes).node
        except NoNodeFits:
            continue
        node.reserve(Reservation(f"{number}", config.name, node.id, "", config.claim, {}, 0))
    for node in nodes:
        assert node.used_memory <= node.total_memory
        assert node.used_nano_cpus <= node.total_nano_cpus


# ---- the whole of a decision


def test_the_whole_of_a_decision_has_every_rules_verdict_on_every_node():
    nodes = [a_node("n1"), a_node("n2", drained="maintenance")]
    rules = Only({"zone": ["n1"], "disk": [], "quiet~": ["n2"]})
    decision = Scheduler(FewestContainers(), [rules]).decide(a_config(), nodes, whole=True)
    said = {
        node.name: [(each.filter, each.rule.text, each.reason) for each in verdicts]
        for node in nodes
        for verdicts in [decision.verdicts[node.id]]
    }
    assert said == {
        "n1": [
            ("core", "drained", None),
            ("only", "zone", None),
            ("only", "disk", ""),
            ("only", "quiet~", ""),
        ],
        "n2": [
            ("core", "drained", "maintenance"),
            ("only", "zone", ""),
            ("only", "disk", ""),
            ("only", "quiet~", None),
        ],
    }
    assert str(decision.error).startswith("no node fits: 0 of 2 nodes: ")


def test_a_decision_checks_no_more_than_it_needs():
    asked = []

    def ask(node):
        asked.append(node.name)
        return ""

    filters = [Returning([Rule("never", ask), Rule("unasked", ask)])]
    decision = Scheduler(FewestContainers(), filters).decide(a_config(), three())
    assert asked == ["n1", "n2", "n3"]
    assert decision.verdicts == {}


@given(st.lists(st.sampled_from(NAMES), unique=True), RULES)
def test_asking_for_the_whole_does_not_change_the_decision(names, rules):
    nodes = [a_node(name) for name in names]
    scheduler = Scheduler(FewestContainers(), [Only(rules)])
    brief = scheduler.decide(a_config(), nodes)
    whole = scheduler.decide(a_config(), nodes, whole=True)
    assert whole.candidates == brief.candidates
    assert whole.dropped == brief.dropped
    assert [node for node, _, _ in whole.refusals] == [node for node, _, _ in brief.refusals]
    assert str(whole.error) == str(brief.error)


def test_an_explanation_of_too_many_rules_is_refused():
    scheduler = Scheduler(FewestContainers(), [Only({f"rule {n}~": [] for n in range(100_000)})])
    with pytest.raises(BadRequest, match="100001 rules for 3 nodes are too much to explain"):
        scheduler.decide(a_config(), three(), whole=True)
    assert scheduler.decide(a_config(), three()).node.name == "n1"


@pytest.mark.parametrize("family", ["constraint", "affinity", "whitelist"])
def test_an_expression_that_no_filter_reads_is_refused(family):
    config = a_config(env=[f"{family}:node==n1"])
    scheduler = Scheduler(FewestContainers(), [Only()])
    with pytest.raises(BadRequest) as refused:
        a_decision(scheduler, config, three())
    assert str(refused.value) == (
        f"{family} node==n1: no loaded filter reads it; start the manager with --filter +{family},"
        " or leave it out"
    )
    reader = Only()
    reader.reads = (family,)
    assert a_decision(Scheduler(FewestContainers(), [reader]), config, three()).node
