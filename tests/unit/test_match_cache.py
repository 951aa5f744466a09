"""Texts that remember the results of searches in them."""

from hypothesis import given
from hypothesis import strategies as st

from swarmcore.container_config import ContainerConfig
from swarmcore.errors import BadRequest
from swarmcore.expression_rules import expression_rule
from swarmcore.expressions import is_pattern, parse
from swarmcore.match_cache import Texts, any_passes
from swarmcore.node.container_index import ContainerIndex
from swarmcore.scheduler import Scheduler
from swarmcore.testing.builders import a_config, a_container, a_decision, a_node

WORDS = st.sampled_from(["web", "web1", "db", "", "x"])


def test_a_search_is_done_once_until_a_change():
    asked = []

    def test(text):
        asked.append(text)
        return text == "b"

    names = {"a"}
    texts = Texts(names)
    assert [texts.any(test), texts.any(test)] == [False, False]
    assert asked == ["a"]
    names.add("b")
    texts.forget()
    assert texts.any(test)
    assert any_passes(Texts(texts, ("c",)), test)
    assert len(asked) <= 4  # what a part remembers is not asked again


@given(st.lists(st.tuples(st.booleans(), WORDS, WORDS), max_size=20))
def test_cached_answers_equal_uncached_ones(steps):
    index, members = ContainerIndex(), []
    expressions = [
        parse(f"container{text}") for text in ("==web*", "!=/^(db|x)$/", "==db", "==w.b")
    ]
    for adds, word, value in steps:
        if adds or not members:
            members.append((word, value))
            index.add([word], {"tier": value} if value else {})
        else:
            word, value = members.pop(0)
            index.remove([word], {"tier": value} if value else {})
        words = {word for word, _ in members}
        values = {value for _, value in members}
        for expression in expressions:
            assert expression.matches(index.words) == expression.matches(words)
            assert expression.matches(index.label_values("tier")) == expression.matches(values)


@given(st.from_regex(r"[a-z]{2}(==|!=)~?[a-c.*()?+|/]{1,4}", fullmatch=True))
def test_required_searches_are_known_in_advance(text):
    try:
        expression = parse(text)
    except BadRequest:
        return
    searches = getattr(expression._test, "__qualname__", "").startswith("_searcher")
    assert is_pattern(text) or not searches


class Affinities:
    """The part of the affinity filter that the test needs."""

    name = "affinity"

    def rules(self, config: ContainerConfig):
        for text in config.affinities:
            yield expression_rule(
                "affinity",
                parse(text),
                lambda expression, node: expression.matches(node.container_words),
            )


class Spread:
    name = "spread"

    def weigh(self, config, node):
        return (len(node.containers),)


def test_a_decision_uses_the_searches_of_its_rehearsal(monkeypatch):
    searched = []

    def searcher(pattern):
        return lambda text: searched.append(text) or text.startswith("web")

    monkeypatch.setattr("swarmcore.expressions.searcher", searcher)
    nodes = [a_node(name, containers=[a_container(f"web-{name}")]) for name in ("n1", "n2")]
    config = a_config("x", env=["affinity:container==/^web-(rehearsed)/"])
    assert config.is_searched
    scheduler = Scheduler(Spread(), [Affinities()])
    assert list(scheduler.rehearse(config, nodes))
    assert scheduler.progress.asked == ""
    assert searched
    searched.clear()
    assert a_decision(scheduler, config, nodes).node.name == "n1"
    assert searched == []
    nodes[1].put_container(a_container("other", node=nodes[1]))
    a_decision(scheduler, config, nodes)
    assert searched  # on the node that has changed
