"""The contracts find keys with which the scheduler would keep wrong verdicts or weights."""

from functools import partial

import pytest

from swarmcore.protocols import ALL_ASPECTS, Aspect, Rule
from tests.unit.testing.contracts.running import filter_contract, run_contract, strategy_contract


def keyed(key, reads):
    """Make a strategy that prefers few containers, and more memory for larger claims."""

    class Strategy:
        name = "mine"

        def __init__(self):
            self.reads = reads

        def key(self, config):
            return key(config)

        def weigh(self, config, node):
            return (-node.container_count, node.memory * min(config.claim.memory, 1))

    return Strategy()


def test_a_good_strategy_with_keys_passes(tmp_path):
    reads = (Aspect.CONTAINERS, Aspect.MACHINE)
    strategy = keyed(lambda config: config.claim.memory, reads)
    assert run_contract(strategy_contract(None, made=strategy), tmp_path) == set()


@pytest.mark.parametrize(
    ("key", "reads", "test"),
    [
        (lambda config: "same", ALL_ASPECTS, "test_configs_with_equal_keys_have_equal"),
        (lambda config: object(), ALL_ASPECTS, "test_configs_with_equal_keys_have_equal"),
        (lambda config: config.claim, (Aspect.CONTAINERS,), "test_kept_weights_depend_only"),
        (lambda config: config.claim, (Aspect.MACHINE,), "test_kept_weights_depend_only"),
    ],
    ids=["too equal", "never equal", "reads the machine", "reads containers"],
)
def test_a_strategy_with_wrong_keys_is_caught(key, reads, test, tmp_path):
    failed = run_contract(strategy_contract(None, made=keyed(key, reads)), tmp_path)
    assert any(name.startswith(test) for name in failed), failed


def has_label(key, node):
    return None if key in node.labels else f"has no {key}"


@pytest.mark.parametrize(
    ("rules", "test"),
    [
        (
            lambda config: [Rule("x", partial(has_label, config.image), key="x")],
            "test_rules_with_equal_keys_give_equal_answers",
        ),
        (
            lambda config: [Rule("x", lambda node: None, key=object())],
            "test_rules_with_equal_keys_give_equal_answers",
        ),
        (
            lambda config: [Rule("x", partial(has_label, "zone"), key=1, reads=(Aspect.HEALTH,))],
            "test_a_rule_with_a_key_reads_only_what_it_declares",
        ),
        (
            lambda config: [Rule("x", lambda node: "" if node.volumes else None, key=1)],
            "test_a_rule_with_a_key_reads_only_what_it_declares",
        ),
    ],
    ids=["hidden input", "new keys", "undeclared", "volumes"],
)
def test_a_filter_with_wrong_keys_is_caught(rules, test, tmp_path):
    assert test in run_contract(filter_contract(rules), tmp_path)
