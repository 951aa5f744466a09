"""The contract of a filter."""

from collections.abc import Sequence

import pytest

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import BadRequest
from swarmcore.protocols import Filter, Refused, Rule
from swarmcore.testing.builders import a_config
from swarmcore.testing.contracts.loading import PluginContract
from swarmcore.testing.contracts.specimens import (
    changes_unread,
    expressive_configs,
    modest_configs,
    node_state,
    odd_nodes,
)

#: Malformed or unusual expressions; the only error that a filter may raise is ``BadRequest``.
_NONSENSE = (
    "constraint:",
    "constraint:zone",
    "constraint:zone==",
    "constraint:==b",
    "constraint:zone==/(/",
    "constraint:zone=b",
    "constraint:zone==b==c",
    "affinity:",
    "affinity:container",
    "affinity:container==/[/",
    "affinity:image==~",
    "affinity:=~=",
    "constraint:zone==" + "(" * 500,
)


class FilterContract(PluginContract):
    """The tests of a filter; a subclass sets ``name``.

    If the usual configs make no rule of the filter, override ``configs``.
    """

    kind = "filter"
    hook = "swarmcore_filter"

    def configs(self) -> Sequence[ContainerConfig]:
        """Return valid configs for the tests; a plugin adds configs that its filter acts on."""
        return [*modest_configs(), *expressive_configs()]

    def bad_configs(self) -> Sequence[ContainerConfig]:
        """Return configs that the filter must refuse with ``BadRequest``; empty by default."""
        return []

    def filter(self) -> Filter:
        """Return the filter as the manager gets it."""
        (loaded,) = self.load().filters()
        return loaded

    def rules(self) -> list[Rule]:
        """Return every rule that the filter makes from ``configs``."""
        tried = self.filter()
        return [rule for config in self.configs() for rule in tried.rules(config)]

    def test_the_filter_is_called_what_the_user_types(self) -> None:
        """``info`` shows ``filter.name``; a user writes the same name after ``--filter``."""
        assert self.filter().name == self.name

    def test_a_config_compiles_into_rules(self) -> None:
        """A rule describes its condition in one line, which a refusal shows."""
        for rule in self.rules():
            assert isinstance(rule, Rule)
            assert rule.text.strip() == rule.text != ""
            assert "\n" not in rule.text
            assert isinstance(rule.soft, bool)

    def test_a_check_answers_with_none_or_a_reason(self) -> None:
        """Every kind of node is checked, including pending and broken ones."""
        for rule in self.rules():
            for node in odd_nodes():
                reason = rule.check(node)
                assert reason is None or isinstance(reason, str), (rule.text, reason)
                assert "\n" not in (reason or "")

    def test_a_check_changes_nothing_and_stays_with_its_answer(self) -> None:
        """A rule is compiled once and then checked on many nodes, in any order."""
        for rule in self.rules():
            for node in odd_nodes():
                before = node_state(node)
                assert rule.check(node) == rule.check(node)
                assert node_state(node) == before

    def test_rules_with_equal_keys_give_equal_answers(self) -> None:
        """The scheduler keeps a rule's answers for later rules that have the same key."""
        nodes = odd_nodes()
        known: dict[object, list[str | None]] = {}
        for _ in range(2):  # the key must not differ each time, or nothing could be kept
            for rule in self.rules():
                if rule.key is not None:
                    answers = [rule.check(node) for node in nodes]
                    assert known.setdefault(rule.key, answers) == answers, rule.key
        rules = [rule for rule in self.rules() if rule.key is not None]
        assert known.keys() == {rule.key for rule in rules}

    def test_a_rule_with_a_key_reads_only_what_it_declares(self) -> None:
        """An answer is kept until a part of the node changes that the rule reads."""
        for rule in self.rules():
            if rule.key is None:
                continue
            for change in changes_unread(rule.reads):
                for node in odd_nodes():
                    before = rule.check(node)
                    change(node)
                    assert rule.check(node) == before, (rule.text, node.name, change.__name__)

    def test_compiling_changes_nothing(self) -> None:
        """The same config goes to the engine, and the same filter reads the next config."""
        tried = self.filter()
        for config in self.configs():
            before = repr(config)
            first = [(rule.text, rule.soft) for rule in tried.rules(config)]
            assert [(rule.text, rule.soft) for rule in tried.rules(config)] == first
            assert repr(config) == before

    def test_refusals_are_put_into_words(self) -> None:
        """``summarise`` must work for one refused node and for many."""
        for rule in self.rules():
            refused = [(node, rule.check(node)) for node in odd_nodes()]
            pairs = [(node, reason) for node, reason in refused if reason is not None]
            for some in (pairs[:1], pairs):
                assert not some or _is_line(rule.summarise(rule.text, Refused(some)))
            never = rule.never and rule.never([node for node, _ in refused])
            assert never is None or _is_line(never)

    @pytest.mark.parametrize("expression", _NONSENSE, ids=lambda text: text[:24])
    def test_nonsense_is_nothing_worse_than_a_bad_request(self, expression: str) -> None:
        """A client must not be able to crash or stall the manager with an expression."""
        try:
            rules = list(self.filter().rules(a_config(env=[expression])))
        except BadRequest:
            return
        for rule in rules:
            rule.check(odd_nodes()[0])

    def test_a_malformed_config_is_a_bad_request(self) -> None:
        """Tested for the configs of ``bad_configs``."""
        tried = self.filter()
        for config in self.bad_configs():
            with pytest.raises(BadRequest) as raised:
                list(tried.rules(config))
            assert _is_line(str(raised.value))


def _is_line(text: object) -> bool:
    return isinstance(text, str) and bool(text) and "\n" not in text
