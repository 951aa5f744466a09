"""Patterns from clients."""

import pytest

from swarmcore.patterns import PatternError, searcher


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
def test_what_is_no_pattern_or_takes_too_much_is_refused_with_the_reason(pattern):
    with pytest.raises(PatternError, match=r"\w+"):
        searcher(pattern)
