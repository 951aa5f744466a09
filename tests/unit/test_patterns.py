"""Patterns from clients."""

import pytest

from swarmcore.patterns import PatternError, PatternTooLargeError, matcher, searcher


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a.c", "xabcx", True),
        ("^a.c$", "xabc", False),
        ("^z.richs?e?$", "zürich", True),
        ("^.$", "\U0001f40b", True),
        ("^a.$", "a\ud83d", True),
    ],
)
def test_a_pattern_finds_its_matches(pattern, text, found):
    assert searcher(pattern)(text) is found


@pytest.mark.parametrize("pattern", ["(", "a**", r"\1", "((a{100}){100}){100}"])
def test_a_malformed_or_expensive_pattern_is_refused_with_the_reason(pattern):
    with pytest.raises(PatternError, match=r"\w+"):
        searcher(pattern)


def test_an_expensive_pattern_has_another_error_than_a_malformed_one():
    with pytest.raises(PatternTooLargeError):
        searcher("(.{0,31}){0,31}x")
    with pytest.raises(PatternTooLargeError):
        matcher(["a", "(.{0,31}){0,31}x"])


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["a"], ["a", "ab", "xay"]),
        (["^a$"], ["a"]),
        (["^a$", "y$"], ["a", "xay"]),
        (["(?i)A", "B$"], ["a", "ab", "xay"]),
        (["a|", "("], ["a", "ab", "xay", "c"]),
        (["("], []),
        (["c", "x.*|b$"], ["ab", "xay", "c"]),
        ([""], ["a", "ab", "xay", "c"]),
    ],
)
def test_many_patterns_find_the_matches_of_each(values, found):
    test = matcher(values)
    assert [text for text in ("a", "ab", "xay", "c") if test(text)] == found
