"""The grammar of expressions is classic's, and no text can crash or stall the parser."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarmcore.errors import BadRequest
from swarmcore.expressions import LONGEST, parse


@pytest.mark.parametrize(
    ("text", "key", "operator", "value", "soft"),
    [
        ("zone==b", "zone", "==", "b", False),
        ("zone!=b", "zone", "!=", "b", False),
        ("zone==~b", "zone", "==", "b", True),
        ("zone!=~b", "zone", "!=", "b", True),
        ("_x.y-z==1", "_x.y-z", "==", "1", False),
        ("image==app@sha256:0f", "image", "==", "app@sha256:0f", False),
        ("zone==/a b/", "zone", "==", "/a b/", False),
        ("zone===b", "zone", "==", "=b", False),
    ],
)
def test_an_expression_is_read(text, key, operator, value, soft):
    read = parse(text)
    assert (read.key, read.operator, read.value, read.soft) == (key, operator, value, soft)
    assert str(read) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "One of operator ==, != is expected"),
        ("zone", "One of operator"),
        ("zone=b", "One of operator"),
        ("==b", "Key '' is invalid"),
        ("z==b", "Key 'z' is invalid"),
        ("1zone==b", "Key '1zone' is invalid"),
        ("a/b==c", "Key 'a/b' is invalid"),
        ("aa!=b==c", "Key 'aa!=b' is invalid"),
        ("zone==", "because it is empty"),
        ("zone==~", "because it is empty"),
        ("zone==~~b", "Value '~~b' is invalid"),
        ("zone==b==c", "Value 'b==c' is invalid (character 8)"),
        ("zone==a,b", "Value 'a,b' is invalid (character 8)"),
        ("zone==a{\nb", "(character 8)"),
        ("zone==é", "Value 'é' is invalid"),
        ("zone==/(/", "missing )"),
        ("zone==/\\1/", "invalid escape sequence"),
        ("zone==(*", "missing )"),
        ("zone==" + "b" * LONGEST, "characters, at most"),
    ],
)
def test_a_malformed_one_is_a_bad_request_that_says_why(text, why):
    with pytest.raises(BadRequest) as raised:
        parse(text)
    assert why in str(raised.value)
    assert text[:6] in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "at", "nearest"),
    [
        ("zone=b", 5, "zone==b"),
        ("zone = b", 6, "zone==b"),
        ("zone == b", 5, "zone==b"),
        ("zone<>b", 5, "zone!=b"),
        ("zone=~b", 5, "zone==~b"),
        ("zone==~~b", 8, "zone==~b"),
        ("zone==a,b", 8, "zone==a.b"),
        ("zone==caf\u00e9", 10, "zone==caf."),
        ("zone==/(/", 7, "zone==/\\(/"),
        ("zone==(*", 7, "zone==\\(*"),
        ("zone==~[a", 8, "zone==~\\[a"),
        ("zone!=[a", 7, "zone!=\\[a"),
        ("zone", 5, ""),
        ("", 1, ""),
        ("==b", 1, ""),
        ("z==b", 2, ""),
        ("a/b==c", 2, ""),
        ("aa!=b==c", 3, ""),
        ("zone==b==c", 8, ""),
        ("zone==", 7, ""),
    ],
)
def test_a_bad_request_tells_the_place_and_the_nearest_valid_form(text, at, nearest):
    with pytest.raises(BadRequest) as raised:
        parse(text)
    hint = f"did you mean {nearest}?" if nearest else "write KEY==VALUE"
    assert f"(character {at}); {hint}" in str(raised.value)


@pytest.mark.parametrize(
    ("value", "candidate", "matches"),
    [
        ("linux", "linux", True),
        ("linux", "linux2", False),
        ("linux", "Linux", False),
        ("l.nux", "linux", True),
        ("li*", "linux", True),
        ("*ux", "linux", True),
        ("l*x", "linux", True),
        ("l*x", "lynx-2", False),
        ("ab*ba", "aba", False),
        ("*", "", True),
        ("*", "anything", True),
        ("l*n*x", "linux", True),
        ("n*", "n\nx", False),
        ("a|b", "abc", True),
        ("a|b", "cab", True),
        ("a|b", "cac", False),
        ("/nu/", "linux", True),
        ("/^nu/", "linux", False),
        ("/(?i)LINUX/", "linux", True),
        ("li(?i)NUX", "linux", True),
        ("/x$/", "linux\n", False),
        ("//", "anything", True),
        ("/", "/", True),
        ("/", "a", False),
        ("caf.", "café", True),
        ("l*", "l\ud800", True),
        ("/^.$/", "\ud800", True),
    ],
)
def test_a_value_matches_as_in_classic(value, candidate, matches):
    assert parse(f"zone=={value}").matches([candidate]) is matches
    assert parse(f"zone!={value}").matches([candidate]) is not matches


def test_equal_needs_one_candidate_and_unequal_none():
    assert parse("zone==b").matches({"a", "b"})
    assert not parse("zone!=b").matches({"a", "b"})
    assert not parse("zone==*").matches(())
    assert parse("zone!=*").matches(())


def test_it_is_shown_on_one_line():
    assert str(parse("zone==a\n b")) == "zone==a b"


@pytest.mark.parametrize(
    "pattern", ["/(a+)+$/", "/(a|aa)+$/", "a*" * 40 + "b", "/(.*)*(.*)*(.*)*x/"], ids=range(4)
)
def test_no_pattern_takes_longer_than_the_text_is_long(pattern):
    expression, text = parse(f"zone=={pattern}"), "a" * 10_000 + "!"
    started = time.process_time()
    assert not expression.matches([text])
    assert time.process_time() - started < 1


@given(st.text(max_size=40) | st.from_regex(r"\A[a-z_]{2,5}(==|!=)~?[ -~]{0,20}\Z"))
def test_any_text_is_an_expression_or_a_bad_request(text):
    try:
        expression = parse(text)
    except BadRequest:
        return
    assert isinstance(expression.matches([text, "", "\ud800"]), bool)
    assert "\n" not in str(expression)


@given(st.from_regex(r"\A[a-z]{2,5}(==|!=)[a-z*.]{1,8}\Z"), st.lists(st.text("ab.", max_size=4)))
def test_unequal_is_the_opposite_of_equal(text, candidates):
    equal = parse(text.replace("!=", "=="))
    unequal = parse(text.replace("==", "!="))
    assert equal.matches(candidates) is not unequal.matches(set(candidates))


@pytest.mark.parametrize(
    "text",
    ["c++", "c++11", "a|b", "1.2+x", "(x86)", "a[0]", "/data/", "x?", "^top$", "a*b", r"d\w"],
)
def test_a_plain_value_equals_a_text_whatever_signs_it_has(text):
    assert parse(f"lang=={text}").matches([text])
    assert not parse(f"lang!={text}").matches([text])
