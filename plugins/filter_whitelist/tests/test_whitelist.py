"""Which nodes a whitelist names."""

import pytest
from swarmcore_filter_whitelist import WhitelistFilter

from swarmcore.errors import BadRequest
from swarmcore.testing.builders import a_config, a_node


def rules(*expressions):
    return list(WhitelistFilter().rules(a_config(env=[f"whitelist:{e}" for e in expressions])))


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("node==n1", True),
        ("node==n1|n2", True),
        ("node==n2|n1", True),
        ("node==n2|n3", False),
        ("node==n", False),
        ("node==n*", False),
        ("node==/n1/", False),
        ("node==N1", False),
        ("node==|n1", True),
        ("node==n1 ", False),
        ("anything==n1", True),
    ],
)
def test_names_are_literal(expression, holds):
    (rule,) = rules(expression)
    assert (rule.check(a_node("n1")) is None) is holds
    assert not rule.soft


def test_several_whitelists_intersect():
    checks = [rule.check for rule in rules("node==n1|n2", "node==n2|n3")]
    names = [f"n{number}" for number in range(5)]
    assert [n for n in names if all(check(a_node(n)) is None for check in checks)] == ["n2"]


def test_a_tilde_makes_a_whitelist_soft():
    (rule,) = rules("node==~n1|n2")
    assert rule.soft
    assert rule.text == "whitelist node==~n1|n2"
    assert rule.check(a_node("n1")) is None


@pytest.mark.parametrize("text", ["node", "node=n1", "node==", "n==n1"])
def test_a_malformed_whitelist_is_refused_by_name(text):
    with pytest.raises(BadRequest, match=f"expression '{text}'"):
        rules(text)


def test_a_negated_whitelist_is_refused():
    with pytest.raises(BadRequest, match=r"'node!=n1': .*character 5.* constraint:node!=n1"):
        rules("node!=n1")


def test_a_label_can_contain_whitelists():
    label = '["node==n1|n2"]'
    config = a_config(labels={"com.docker.swarm.whitelists": label})
    (rule,) = WhitelistFilter().rules(config)
    assert rule.text == "whitelist node==n1|n2"
