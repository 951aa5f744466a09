"""Texts as Go parses them: times, durations, globs and numbers, as tables."""

import pytest

from swarmcore.go_formats import (
    BadValue,
    Glob,
    NumberError,
    parse_duration,
    parse_int,
    parse_time,
    parse_time_or_duration,
    parse_unix_seconds,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T12:00:00Z", 1714564800.0),
        ("2024-05-01T12:00:00.123456789Z", 1714564800.123456),
        ("2024-05-01T14:00:00+02:00", 1714564800.0),
        ("0001-01-01T00:00:00Z", None), ("", None), (None, None), ("yesterday", None),
    ],
)  # fmt: skip
def test_moments(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None), ("-1", None), ("-1.5", None), ("0", 0.0), ("-2", -2.0), ("+7", 7.0),
        ("1714564800", 1714564800.0), ("1714564800.5", 1714564800.5),
        ("1.0000000005", 1.0000000005),
        ("1714564800123", 1714564800123.0),
    ],
)  # fmt: skip
def test_since_and_until_are_seconds(text, seconds):
    assert parse_unix_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("tomorrow", "tomorrow"),
        ("10m", "10m"),
        ("1e5", "1e5"),
        (".5", ""),
        ("5.", ""),
        (" 1", " 1"),
    ],
)
def test_malformed_seconds_are_refused_as_by_an_engine(text, wrong):
    with pytest.raises(BadValue, match=f'^strconv.ParseInt: parsing "{wrong}": invalid syntax$'):
        parse_unix_seconds(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("1714564800", 1714564800.0), ("1714564800.5", 1714564800.5),
        ("10m", 400.0), ("1h30m", -4400.0), ("-10m", 1600.0), ("1.5s", 998.5), ("0s", 1000.0),
        ("2024-05-01T12:00:00Z", 1714564800.0), ("2024-05-01T12:00:00", 1714564800.0),
    ],
)  # fmt: skip
def test_the_filter_until_takes_three_forms(text, seconds):
    assert parse_time_or_duration(text, 1000.0) == seconds


@pytest.mark.parametrize("text", ["", "-1", "tomorrow", "10x", "1e5", "--5"])
def test_another_form_is_refused_as_by_an_engine(text):
    with pytest.raises(BadValue, match=f'failed to parse value as time or duration: "{text}"'):
        parse_time_or_duration(text, 1000.0)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("busybox", "busybox", True), ("busybox", "busybox:1", False), ("busy*", "busybox:1", True),
        ("*", "team/tool", False), ("*/*", "team/tool:1", True), ("team/*:1", "team/tool:1", True),
        ("team/*:1", "team/tool:2", False), ("b?sybox", "busybox", True), ("?", "/", False),
        ("[a-c]x", "bx", True), ("[^a-c]x", "bx", False), ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False), ("**a", "bba", True), ("", "", True), ("*", "", True),
        ("a*b*c", "a1b2b3c", True), ("a*b*c", "a1b2b3", False),
    ],
)  # fmt: skip
def test_globs(pattern, text, matches):
    assert Glob(pattern).matches(text) is matches


@pytest.mark.parametrize("pattern", ["[", "[a", "[]a]", "[a-]", "\\"])
def test_a_malformed_glob_is_refused(pattern):
    with pytest.raises(BadValue, match=r"^syntax error in pattern$"):
        Glob(pattern)


def test_a_glob_of_many_stars_is_quick():
    assert not Glob("*a" * 200 + "b").matches("a" * 2000)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("+3", 3), ("-3", -3), ("007", 7), ("9223372036854775807", (1 << 63) - 1),
        ("-9223372036854775808", -(1 << 63)), ("0" * 5000 + "8", 8),
    ],
)  # fmt: skip
def test_numbers_are_those_of_64_bits(text, number):
    assert parse_int(text) == number


@pytest.mark.parametrize(
    "text", ["9223372036854775808", "-9223372036854775809", "9" * 5000, "-" + "9" * 5000]
)
def test_larger_numbers_are_out_of_range(text):
    with pytest.raises(NumberError, match="value out of range"):
        parse_int(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1.s", 1),
        ("-2s", -2),
        ("+2s", 2),
        ("0", 0),
        ("-0", 0),
        ("1h0m0s", 3600),
        ("10us", 1e-5),
        ("10µs", 1e-5),  # the micro sign
        ("10μs", 1e-5),  # the Greek letter
        ("7ns", 7e-9),
        ("1s1s", 2),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("60", "number without a unit"),
        ("1m30", "number without a unit"),
        ("", "not a duration"),
        ("-", "not a duration"),
        ("--1s", "not a duration"),
        ("s", "not a duration"),
        (".s", "not a duration"),
        ("1.5.5s", "not a duration"),
        ("soon", "not a duration"),
        ("١s", "not a duration"),
        ("1d", "unknown unit 'd'"),
        ("1 s", "unknown unit ' s'"),
        ("9" * 400 + "h", "longer than 292 years"),
    ],
)
def test_a_malformed_duration_says_why(text, why):
    with pytest.raises(ValueError, match=why) as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value)
