"""Which refusals are permanent, and which may change."""

import pytest
from swarmcore_filter_constraint import ConstraintFilter

from swarmcore.errors import NeverFits, NoNodeFits
from swarmcore.model import GiB, State
from swarmcore.protocols import Rule
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node


class Quiet:
    name = "quiet"

    def weigh(self, config, node):
        return (1,)


class Giving:
    """A filter with given rules."""

    name = "giving"

    def __init__(self, *rules):
        self._rules = rules

    def rules(self, config):
        return self._rules


def refusal(nodes, config, *filters):
    with pytest.raises(NoNodeFits) as raised:
        a_decision(Scheduler(Quiet(), filters), config, nodes)
    return raised.value


def test_a_permanent_lack_is_a_conflict_with_the_largest_amount():
    nodes = [a_node("n1", memory=2 * GiB, cpus=8), a_node("n2", memory=4 * GiB, cpus=2)]
    error = refusal(nodes, a_config(memory=5 * GiB))
    assert isinstance(error, NeverFits)
    assert error.status == 409
    assert str(error) == (
        "no node fits: 0 of 2 nodes: 2 memory (needs 5 GiB, most free 4 GiB on n2);"
        " memory: no node has 5 GiB, ask for 4 GiB at most"
    )
    error = refusal(nodes, a_config(cpus=8.5))
    assert str(error).endswith("cpu: no node has 8.5 CPUs, ask for 8 CPUs at most")
    assert error.status == 409


@pytest.mark.parametrize(
    "nodes",
    [
        [a_node("n1", memory=4 * GiB, containers=[a_container("a", memory=4 * GiB)])],
        [a_node("n1", memory=GiB), a_node("n2", memory=4 * GiB, drained="repair")],
        [a_node("n1", memory=4 * GiB, overcommit=0.25, containers=[a_container("a", memory=GiB)])],
        [a_node("n1", memory=4 * GiB, state=State.UNHEALTHY, containers=[a_container("a")])],
    ],
    ids=["full", "drained", "overcommitted", "unhealthy"],
)
def test_a_temporary_lack_is_unavailable(nodes):
    health = Giving(Rule("unhealthy", lambda node: None if node.health else ""))
    error = refusal(nodes, a_config(memory=5 * GiB if nodes[0].overcommit else 4 * GiB), health)
    assert not isinstance(error, NeverFits)
    assert error.status == 503


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("zonne==b", "no node has zonne (character 1 of zonne==b): did you mean zone==b?"),
        ("Zone==/b/", "no node has Zone (character 1 of Zone==/b/): did you mean zone==/b/?"),
        ("nodes==n1", "no node has nodes (character 1 of nodes==n1): did you mean node==n1?"),
        (
            "colour==red",
            "no node has colour (character 1 of colour==red): known are disk, node, zone",
        ),
    ],
)
def test_a_key_that_no_node_has_is_a_conflict_with_the_nearest(expression, told):
    nodes = [a_node("n1", labels={"zone": "a"}), a_node("n2", labels={"disk": "ssd"})]
    error = refusal(nodes, a_config(env=[f"constraint:{expression}"]), ConstraintFilter())
    assert error.status == 409
    assert str(error) == f"no node fits: 0 of 2 nodes: 2 constraint {expression}; {told}"


def test_a_key_that_some_node_has_is_known():
    nodes = [a_node("n1", labels={"zone": "a"}), a_node("n2")]
    for expression in ("zone==b", "node==n3"):
        error = refusal(nodes, a_config(env=[f"constraint:{expression}"]), ConstraintFilter())
        assert error.status == 503


def test_an_unknown_key_is_not_reported_if_it_may_be_absent():
    config = a_config(env=["constraint:rack!=b", "constraint:shelf==*"], memory=GiB)
    full = a_node("n1", memory=GiB, containers=[a_container("a", memory=GiB)])
    assert refusal([full], config, ConstraintFilter()).status == 503


def test_many_keys_are_not_all_listed():
    node = a_node("n1", labels={f"label-{number:02}": "x" for number in range(20)})
    error = refusal([node], a_config(env=["constraint:zz==b"]), ConstraintFilter())
    assert str(error).endswith(
        "known are " + ", ".join(f"label-{n:02}" for n in range(12)) + ", ..."
    )


def test_a_filter_can_make_a_refusal_permanent():
    rule = Rule("moon", lambda node: "", never=lambda nodes: f"none of {len(nodes)} is there")
    error = refusal([a_node("n1"), a_node("n2")], a_config(), Giving(rule))
    assert str(error) == "no node fits: 0 of 2 nodes: 2 moon; none of 2 is there"
    assert error.status == 409


def test_a_filter_is_asked_for_permanence_only_if_it_refuses_all():
    def never(nodes):
        raise AssertionError("asked")

    rule = Rule("n1", lambda node: None if node.name == "n1" else "", never=never)
    nodes = [a_node("n1", drained="repair"), a_node("n2")]
    assert refusal(nodes, a_config(), Giving(rule)).status == 503


@pytest.mark.parametrize(
    "never",
    [lambda nodes: 1 / 0, lambda nodes: 7, lambda nodes: ""],
    ids=["raises", "a number", "nothing"],
)
def test_a_filter_that_fails_then_does_not_hide_the_refusal(never):
    rule = Rule("moon", lambda node: "", never=never)
    assert str(refusal([a_node("n1")], a_config(), Giving(rule))).endswith("1 nodes: 1 moon")
