"""Which nodes a constraint allows."""

import pytest
from swarmcore_filter_constraint import ConstraintFilter

from swarmcore.errors import BadRequest
from swarmcore.testing.builders import a_config, a_node

NODE = a_node("node-1", labels={"zone": "eu-west", "disk": "ssd"})


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("node==node-1", True),
        ("node==node-*", True),
        ("node!=node-1", False),
        ("node==node-2", False),
        ("zone==eu-west", True),
        ("zone==eu", False),
        ("zone==eu*", True),
        ("zone==/west/", True),
        ("zone!=/west/", False),
        ("disk!=hdd", True),
        ("rack!=a", True),
        ("rack==a", False),
        ("rack==*", True),
        ("zone==/(?i)EU/", True),
    ],
)
def test_expressions(expression, holds):
    (rule,) = ConstraintFilter().rules(a_config(env=[f"constraint:{expression}"]))
    assert (rule.check(NODE) is None) is holds
    assert not rule.soft


def test_a_tilde_makes_an_expression_soft():
    (rule,) = ConstraintFilter().rules(a_config(env=["constraint:zone==~asia"]))
    assert rule.soft
    assert rule.text == "constraint zone==~asia"


@pytest.mark.parametrize("text", ["zone=eu", "z==eu", "zone==", "zone==/", "zone==/(/", "==eu"])
def test_a_malformed_expression_is_refused_or_matches_literally(text):
    config = a_config(env=[f"constraint:{text}"])
    if text == "zone==/":
        (rule,) = ConstraintFilter().rules(config)
        assert rule.check(NODE) is not None
        return
    with pytest.raises(BadRequest, match=text.split("=")[0] or "=="):
        list(ConstraintFilter().rules(config))
