"""Docker's filters: two forms in JSON, marks, and the kinds of comparison."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.errors import BadRequest
from swarmcore.list_filters import Filters, parse_filters


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("null", {}),
        ("{}", {}),
        ('{"label": null}', {"label": {}}),
        ('{"label": {}}', {"label": {}}),
        ('{"label": []}', {"label": {}}),
        ('{"label": ["a", null]}', {"label": {"a": True, "": True}}),
        ('{"label": {"a": false}}', {"label": {"a": False}}),
        ('{"label": {"a": null}}', {"label": {"a": False}}),
        ('{"label": {"a": true}, "name": null}', {"label": {"a": True}, "name": {}}),
        ('{"label": ["a"], "name": null}', {"label": {"a": True}, "name": {}}),
        ('{"label": ["a"], "label": []}', {"label": {}}),
        ('{"label": {"a": true}, "label": {"b": true}}', {"label": {"b": True}}),
        ('{"label": {"a": true, "a": false}}', {"label": {"a": False}}),
        (' {"label" : ["a"] }\n', {"label": {"a": True}}),
        ('{"label": ["\\ud800"]}', {"label": {"\ufffd": True}}),
        ('{"label": ["\\ud83d\\ude00"]}', {"label": {"\U0001f600": True}}),
    ],
)
def test_both_forms_are_read(text, fields):
    assert parse_filters(text) == Filters(fields)


@pytest.mark.parametrize(
    "text",
    [
        "[]", "1", "true", '"x"', "{", "{} x", "\ufeff{}", '{"label": NaN}', '{"label": "a"}',
        '{"label": 1}', '{"label": [1]}', '{"label": [["a"]]}', '{"label": [{}]}',
        '{"label": {"a": 1}}', '{"label": {"a": "true"}}', '{"label": {"a": []}}',
        '{"label": {"a": true}, "name": ["x"]}', '{"label": "x", "label": ["a"]}',
        '{"label": ["a"],}', '{"a\tb": []}', "[" * 100_000, '{"label": {"a": 1, "a": true}}',
    ],
)  # fmt: skip
def test_other_forms_have_an_engines_error(text):
    with pytest.raises(BadRequest, match=r"^invalid filter$"):
        parse_filters(text)


TEXTS = st.sampled_from(["", "a", "b", "ab", "a=b", "(", "^a"])
FIELDS = st.dictionaries(TEXTS, st.dictionaries(TEXTS, st.booleans(), max_size=3), max_size=3)


@given(FIELDS)
def test_written_filters_are_read_again(fields):
    assert parse_filters(Filters(fields).encode()) == Filters(fields)


@given(st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3, unique=True), max_size=3))
def test_a_list_is_a_map_of_true_marks(lists):
    assert parse_filters(json.dumps(lists)) == Filters.of(lists)


@given(FIELDS, TEXTS, TEXTS)
def test_values_never_widen(fields, key, text):
    """A key with values, whatever their marks, accepts no more than its values do."""
    filters = Filters(fields)
    values = filters.values(key)
    if values:
        assert not filters.equal(key)(text) or text in values
        assert filters.beginning(key)(text) == text.startswith(values)
        assert filters.matching(key)("-") == bool({"", "^"} & set(values))
        assert not filters.labelled(key)({})
    else:
        tests = (filters.equal, filters.beginning, filters.matching)
        assert all(test(key)(text) for test in tests)
        assert filters.labelled(key)({})


@pytest.mark.parametrize(
    ("marks", "equal", "matching"),
    [
        ({"web": True}, ["web"], ["web", "web1"]),
        ({"web": False}, [], ["web", "web1"]),
        ({"^web$": False}, [], ["web"]),
        ({"web": False, "db": True}, ["db"], ["web", "web1", "db"]),
        ({"(": True}, ["("], ["("]),
        ({"(": False}, [], []),
        ({"^w": True, "^d.$": True}, [], ["web", "web1", "db"]),
    ],
)
def test_only_equality_looks_at_a_mark(marks, equal, matching):
    filters, texts = Filters({"name": marks}), ["web", "web1", "db", "("]
    assert [text for text in texts if filters.equal("name")(text)] == equal
    assert [text for text in texts if filters.matching("name")(text)] == matching


@pytest.mark.parametrize(
    ("marks", "flag"),
    [
        ({"true": True}, True),
        ({"1": True, "x": True}, True),
        ({"0": True, "true": False}, False),
        ({"false": True}, False),
        ({}, "invalid filter 'dangling'"),
        ({"true": False}, "invalid filter 'dangling=[true]'"),
        ({"true": True, "0": True}, "invalid filter 'dangling=[true 0]'"),
        ({"True": True}, "invalid filter 'dangling=[True]'"),
    ],
)
def test_a_flag_is_true_or_false(marks, flag):
    filters = Filters({"dangling": marks})
    if isinstance(flag, bool):
        assert filters.flag("dangling") is flag
    else:
        with pytest.raises(BadRequest) as caught:
            filters.flag("dangling")
        assert str(caught.value) == flag


def test_a_flag_that_is_not_given_has_a_default():
    assert (Filters().flag("all"), Filters().flag("all", default=True)) == (False, True)


def test_the_number_of_values_is_limited():
    parse_filters(json.dumps({"id": [str(n) for n in range(1000)]}))
    with pytest.raises(BadRequest, match="1001 filter values in one request: at most 1000"):
        parse_filters(
            json.dumps({key: [str(n) for n in range(k)] for key, k in (("a", 1), ("b", 1000))})
        )


def test_the_number_of_patterns_is_limited():
    Filters.of({"name": [f"^{n}$" for n in range(100)]}).matching("name")
    with pytest.raises(BadRequest, match="101 patterns of 'name' in one request: at most 100"):
        Filters.of({"name": [f"^{n}$" for n in range(101)]}).matching("name")
